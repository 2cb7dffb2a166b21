// A TreeSink that writes into a folder of this host, as tar unpacks there. Paths are resolved inside the folder
// (openat2(2), RESOLVE_IN_ROOT): an absolute link or a ".." in what lies there leads nowhere else.
#pragma once

#include <string>

#include "base/fd.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

class FolderWriter final : public TreeSink {
 public:
  // `root` is the folder, open; it stays the caller's.
  explicit FolderWriter(int root) : root_(root) {}

  // Missing parents are made (0755, this user). A folder that is there, or a link to one, stays as it is; what else is
  // there is replaced. A time of a folder is not set: it changes with what comes into it.
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override;

  // Owner and mode of a folder that is there.
  Result<void> set_directory(const Entry& entry);

 private:
  struct Name {
    int parent;
    std::string last;
  };
  Result<Name> place_of(const std::string& path);
  Result<Fd> open_directory(const std::string& path) const;
  Result<Fd> make_directories(const std::string& path) const;
  Result<void> add_directory(const Name& name, const Entry& entry);
  Result<void> add_file(const Name& name, const Entry& entry);
  Result<void> add_other(const Name& name, const Entry& entry);
  Result<void> set_attributes(const Name& name, const Entry& entry) const;
  Result<void> close_file();

  int root_;
  std::string parent_path_ = {};  // of parent_
  Fd parent_ = {};
  Fd file_ = {};
  Entry open_ = {};  // the regular file that data() belongs to
};

// openat2(2) with RESOLVE_IN_ROOT below `root`.
Result<Fd> open_inside(int root, const std::string& path, int flags, unsigned mode = 0);

}  // namespace domsmith
