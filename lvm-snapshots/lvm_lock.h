// LVM's own locks of a volume group, as its commands take them (lib/misc/lvm-flock.c, lib/locking/file_locking.c of
// LVM2 2.03): flock(2) on DIR/P_global, then on DIR/V_GROUP, both exclusive, the same that vgcfgrestore(8) holds. While
// they are held, no LVM command on this host reads or writes the group, but for those told not to lock (--nolocking).
//
// A holder removes its lock file when it is done. Whoever waited for it then has a lock on a file without a name, so
// each compares what it locked with what has the name now, and tries again. Writers announce themselves by a lock on
// FILE:aux, so that readers that keep coming cannot keep them out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

class LvmLock {
 public:
  // Waits. `directory`: LVM's global/locking_dir.
  static Result<LvmLock> acquire(const std::filesystem::path& directory, const std::string& group);
  LvmLock(LvmLock&&) noexcept = default;
  LvmLock& operator=(LvmLock&&) noexcept = default;

 private:
  // One locked file; removed, then unlocked, at the end of its life.
  class File {
   public:
    static Result<File> lock(const std::filesystem::path& path);
    File(File&&) noexcept = default;
    File& operator=(File&&) noexcept = default;
    ~File();

   private:
    File(std::filesystem::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    static Result<File> lock_plainly(const std::filesystem::path& path);
    std::filesystem::path path_;
    Fd fd_;
  };

  explicit LvmLock(std::vector<File> files) : files_(std::move(files)) {}
  std::vector<File> files_;
};

}  // namespace domsmith
