// A store in a folder (folder_layout.h): raw sparse files, for any user and any file system. Clones share their blocks
// with the golden image where the file system can (XFS, btrfs: FICLONE), elsewhere its used blocks are copied.
//
// Safe against power cuts: a file is complete on the disk before rename(2) makes it visible, and the folder is synced
// before a verb returns.
#pragma once

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "lvm-snapshots/folder_layout.h"
#include "lvm-snapshots/folder_workspace.h"
#include "lvm-snapshots/store.h"

namespace domsmith {

class FolderStore final : public VolumeStore {
 public:
  // `root` is absolute. Nothing is made before the first verb that changes something.
  explicit FolderStore(std::filesystem::path root) : layout_(std::move(root)) {}

  [[nodiscard]] std::string name() const override { return "dir:" + layout_.root().string(); }
  Result<StoreStatus> status() override;
  Result<std::vector<VolumeInfo>> list() override;
  Result<VolumeInfo> find(std::string_view name) override;
  Result<StoreSurvey> survey() override;
  Result<VolumeInfo> create(std::string_view name, std::uint64_t size) override;
  Result<std::unique_ptr<BlockTarget>> open(std::string_view name, Access access) override;
  Result<void> seal(std::string_view name) override;
  Result<void> clone(std::string_view origin, std::span<const std::string> names) override;
  Result<void> reset(std::span<const std::string> names) override;
  Result<void> remove(std::span<const std::string> names) override;
  Result<void> adopt(std::string_view name, std::string_view origin) override;
  Result<void> resize(std::string_view name, std::uint64_t size) override;
  Result<void> activate(std::string_view name) override;
  Result<void> deactivate(std::string_view name) override;
  Result<void> recover() override;
  [[nodiscard]] std::vector<std::string> plan_create(std::string_view name, std::uint64_t size) const override;
  [[nodiscard]] std::vector<std::string> plan_clone(std::string_view origin,
                                                    std::span<const std::string> names) const override;
  [[nodiscard]] std::vector<std::string> plan_remove(std::span<const std::string> names) const override;
  [[nodiscard]] std::vector<std::string> plan_adopt(std::string_view name, std::string_view origin) const override;
  [[nodiscard]] std::vector<std::string> plan_resize(std::string_view name, std::uint64_t size) const override;
  [[nodiscard]] std::vector<std::string> plan_seal(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> plan_reset(std::string_view origin,
                                                    std::span<const std::string> names) const override;

 private:
  // The gate: what is visible changes under the exclusive lock only. Both make the folders if need be.
  Result<FileLock> change();
  Result<FileLock> watch();
  // Under watch(), or without a lock where this user may only read.
  Result<std::optional<FileLock>> look() const;

  Result<std::vector<VolumeInfo>> volumes() const;
  [[nodiscard]] std::vector<std::string> marks_without_volume(const std::vector<VolumeInfo>& volumes) const;
  Result<FolderEntry> locate(std::string_view name) const;
  Result<void> check_idle(const FolderEntry& entry) const;
  Result<VolumeInfo> info(const FolderEntry& entry, bool shares_blocks) const;
  Result<bool> shares_blocks() const;

  // Clones of one golden image, made in the workspace under their names: NAME.img.
  struct Copying {
    int golden;
    std::filesystem::path folder;
    bool reflink;
  };
  Result<void> check_room(int golden, std::size_t count, bool reflink) const;
  Result<void> make_copies(const Copying& copying, std::span<const std::string> names);
  Result<void> check_free_names(std::span<const std::string> names) const;
  Result<void> swap_in(const FolderWorkspace& work, std::span<const std::string> names);
  Result<void> move_in(const FolderWorkspace& work, std::string_view origin, std::span<const std::string> names);
  Result<std::vector<FolderEntry>> removable(std::span<const std::string> names) const;

  FolderLayout layout_;
};

}  // namespace domsmith
