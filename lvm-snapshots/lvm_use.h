// Who uses which LV, as far as the kernel and LVM can't tell: files below /run/lock/domsmith/VG/, which end with the
// boot.
//
//   .gate         flock: exclusive while a process looks at the group and changes it
//   NAME.use      flock: shared by readers, exclusive for a writer; free again when the holder dies
//   NAME.opened   the LV was activated to be opened, and is to be deactivated by whoever closes it last; without a
//   holder
//                 of NAME.use it was left by a dead process
//   NAME.active   activate() was called
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_target.h"
#include "base/file.h"
#include "base/result.h"

namespace domsmith {

class LvmUse {
 public:
  LvmUse(const std::filesystem::path& run, const std::string& group) : folder_(run / group) {}

  [[nodiscard]] Result<FileLock> gate() const { return FileLock::acquire(folder_ / ".gate"); }

  // All below: with the gate held.
  [[nodiscard]] Result<FileLock> hold(std::string_view name, Access access) const;  // busy
  [[nodiscard]] Result<bool> held(std::string_view name) const;

  [[nodiscard]] bool opened(std::string_view name) const;
  [[nodiscard]] Result<void> set_opened(std::string_view name, bool opened) const;
  [[nodiscard]] bool activated(std::string_view name) const;
  // All of them: one look at the folder, where there are thousands of volumes to ask about.
  [[nodiscard]] std::set<std::string, std::less<>> all_activated() const { return names_with("active"); }
  [[nodiscard]] Result<void> set_activated(std::string_view name, bool activated) const;
  // Volumes that were opened and that nobody holds any more.
  [[nodiscard]] Result<std::vector<std::string>> left_open() const;
  void forget(std::string_view name) const;  // the volume is gone

 private:
  [[nodiscard]] std::set<std::string, std::less<>> names_with(std::string_view what) const;
  [[nodiscard]] std::filesystem::path file(std::string_view name, std::string_view what) const;
  [[nodiscard]] Result<void> set(const std::filesystem::path& path, bool there) const;
  std::filesystem::path folder_;
};

}  // namespace domsmith
