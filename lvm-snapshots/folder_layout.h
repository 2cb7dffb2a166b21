// Where a folder store keeps what:
//
//   PATH/staging/NAME.img          0600  being written by a build or an import
//   PATH/images/NAME.img           0444  a golden image
//   PATH/clones/ORIGIN/NAME.img    0600  a clone of golden image ORIGIN: its folder says so, and one rename(2) makes it
//                                        visible together with its origin
//   PATH/active/NAME                     an activated clone: the id of the boot it was activated in; a reboot ends it
//   WORK = PATH/work; WORK/OPERATION     half-made files of a running operation; swept when their owner is dead
//   PATH/.lock                           flock(2): exclusive to change what is visible, shared to look
//
// The images are raw: any tool reads them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/store.h"

namespace domsmith {

struct FolderEntry {
  std::string name;
  VolumeKind kind = VolumeKind::staging;
  std::string origin;
  std::filesystem::path path;
};

class FolderLayout {
 public:
  explicit FolderLayout(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path gate() const { return root_ / ".lock"; }
  [[nodiscard]] std::filesystem::path work() const { return root_ / "work"; }
  [[nodiscard]] std::filesystem::path staging(std::string_view name) const;
  [[nodiscard]] std::filesystem::path golden(std::string_view name) const;
  [[nodiscard]] std::filesystem::path clones(std::string_view origin) const;
  [[nodiscard]] std::filesystem::path clone(std::string_view origin, std::string_view name) const;
  [[nodiscard]] std::filesystem::path marker(std::string_view name) const;

  // Regular files with valid names only; whatever else lies there is not the store's.
  [[nodiscard]] std::optional<FolderEntry> locate(std::string_view name) const;
  [[nodiscard]] std::vector<FolderEntry> entries() const;                           // sorted by name
  [[nodiscard]] std::vector<std::string> clones_of(std::string_view origin) const;  // sorted

  // Whether the marker was set since this machine booted.
  [[nodiscard]] bool activated(std::string_view name) const;
  [[nodiscard]] Result<void> set_activated(std::string_view name, bool activated) const;

 private:
  std::filesystem::path root_;
};

}  // namespace domsmith
