// What changes no other volume: looking, creating, opening, sealing, activating. The rest: folder_store_clones.cc.
#include "lvm-snapshots/folder_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/fail_point.h"
#include "base/text.h"
#include "lvm-snapshots/store_rules.h"
#include "lvm-snapshots/volume_file.h"

namespace domsmith {

namespace fs = std::filesystem;

Result<FileLock> FolderStore::change() {
  const std::string headline = fmt::format("cannot change {}", name());
  TRY_AS(make_directories(layout_.root()), headline);
  FileLock lock = TRY_AS(FileLock::acquire(layout_.gate()), headline);
  TRY(FolderWorkspace::sweep(layout_.work()));
  return lock;
}

Result<FileLock> FolderStore::watch() {
  const std::string headline = fmt::format("cannot use {}", name());
  TRY_AS(make_directories(layout_.root()), headline);
  return TRY_AS(FileLock::acquire(layout_.gate(), FileLock::Mode::shared), headline);
}

Result<std::optional<FileLock>> FolderStore::look() const {
  std::error_code error;
  if (!fs::is_directory(layout_.root(), error)) {
    if (fs::exists(layout_.root(), error)) {
      return fail(ErrorCode::bad_input, fmt::format("{} is not a folder", layout_.root().string()),
                  "name a folder: dir:PATH");
    }
    return std::nullopt;
  }
  auto lock = FileLock::acquire(layout_.gate(), FileLock::Mode::shared);
  if (lock) {
    return std::optional<FileLock>(std::move(*lock));
  }
  return std::nullopt;  // somebody else's store: files appear and vanish whole, so what is seen is true all the same
}

Result<FolderEntry> FolderStore::locate(std::string_view volume) const {
  auto entry = layout_.locate(volume);
  if (!entry) {
    return store_rules::absent(name(), volume);
  }
  return *std::move(entry);
}

Result<void> FolderStore::check_idle(const FolderEntry& entry) const {
  if (TRY(volume_file_in_use(entry.path)) || layout_.activated(entry.name)) {
    return store_rules::in_use(entry.name);
  }
  return {};
}

Result<bool> FolderStore::shares_blocks() const {
  std::error_code error;
  fs::path folder = layout_.root();
  while (!fs::exists(folder, error) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return can_reflink(folder);
}

Result<VolumeInfo> FolderStore::info(const FolderEntry& entry, bool shares_blocks) const {
  struct stat file{};
  if (::stat(entry.path.c_str(), &file) != 0) {
    return errno == ENOENT ? store_rules::absent(name(), entry.name)
                           : fail_errno(fmt::format("cannot look at {}", entry.path.string()), errno);
  }
  VolumeInfo info;
  info.name = entry.name;
  info.kind = entry.kind;
  info.origin = entry.origin;
  info.size = static_cast<std::uint64_t>(file.st_size);
  info.used = static_cast<std::uint64_t>(file.st_blocks) * 512;
  if (shares_blocks && entry.kind == VolumeKind::clone) {
    info.used = 0;  // the blocks of a clone are counted whether they are shared or not; find() looks closer
  }
  info.active = layout_.activated(entry.name) || volume_file_in_use(entry.path).value_or(false);
  info.device = entry.path.string();
  info.disk_spec = "file";
  return info;
}

Result<StoreStatus> FolderStore::status() {
  const bool reflinks = TRY(shares_blocks());
  StoreStatus status;
  fs::path folder = layout_.root();
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  struct statvfs room{};
  if (::statvfs(folder.c_str(), &room) != 0) {
    return fail_errno(fmt::format("cannot look at {}", folder.string()), errno);
  }
  status.description =
      fmt::format("folder {} ({})", layout_.root().string(), reflinks ? "shares blocks" : "no shared blocks");
  status.method = reflinks ? "reflink" : "copy of used blocks";
  status.size = std::uint64_t{room.f_blocks} * room.f_frsize;
  status.free = std::uint64_t{room.f_bavail} * room.f_frsize;
  // A reflink costs metadata and what its identity writes; a copy what its image takes, which clone() looks at.
  static constexpr std::uint64_t each = 128U << 10;
  status.limits = {{.what = "free space", .size = status.size, .free = status.free, .bytes = true, .each = each}};
  if (room.f_files != 0) {  // some file systems (btrfs) have no fixed number
    status.limits.push_back(
        {.what = "free inodes", .size = room.f_files, .free = room.f_favail, .bytes = false, .each = 1});
  }
  const auto lock = TRY(look());
  status.volumes = layout_.entries().size();
  return status;
}

Result<std::vector<VolumeInfo>> FolderStore::list() {
  const auto lock = TRY(look());
  return volumes();
}

Result<std::vector<VolumeInfo>> FolderStore::volumes() const {
  const auto entries = layout_.entries();
  const bool reflinks = !entries.empty() && TRY(shares_blocks());
  std::vector<VolumeInfo> all;
  all.reserve(entries.size());
  for (const FolderEntry& entry : entries) {
    auto one = info(entry, reflinks);
    if (one) {
      all.push_back(*std::move(one));
    } else if (one.error().code != ErrorCode::not_found) {
      return std::unexpected(std::move(one).error());
    }
  }
  return all;
}

Result<VolumeInfo> FolderStore::find(std::string_view volume) {
  const auto lock = TRY(look());
  const FolderEntry entry = TRY(locate(volume));
  const bool reflinks = TRY(shares_blocks());
  VolumeInfo found = TRY(info(entry, reflinks));
  if (reflinks) {
    const Fd fd(::open(entry.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    found.used = fd ? own_bytes(fd.get()).value_or(0) : 0;
  }
  return found;
}

Result<VolumeInfo> FolderStore::create(std::string_view volume, std::uint64_t size) {
  TRY(store_rules::check_new(volume, size));
  const FileLock lock = TRY(change());
  if (layout_.locate(volume)) {
    return store_rules::taken(name(), volume);
  }
  const std::string headline = fmt::format("cannot create volume '{}'", volume);
  TRY_AS(make_directories(layout_.staging(volume).parent_path()), headline);
  const FolderWorkspace work = TRY_AS(FolderWorkspace::make(layout_.work()), headline);
  const std::string half = (work.path() / "new.img").string();
  {
    const Fd fd = TRY_AS(open_fd(half, O_RDWR | O_CREAT | O_EXCL, 0600), headline);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno(headline, errno,
                        errno == EFBIG ? fmt::format("files here cannot be {} long", size_text(size)) : std::string());
    }
  }
  TRY(fail_point("folder.create.before"));
  if (::rename(half.c_str(), layout_.staging(volume).c_str()) != 0) {
    return fail_errno(headline, errno);
  }
  TRY(fail_point("folder.create.after"));
  return info(TRY(locate(volume)), false);
}

Result<std::unique_ptr<BlockTarget>> FolderStore::open(std::string_view volume, Access access) {
  // Reading somebody else's image must not need the right to write into the store.
  const auto lock = access == Access::read_only ? TRY(look()) : std::optional<FileLock>(TRY(watch()));
  const FolderEntry entry = TRY(locate(volume));
  if (access == Access::read_write) {
    if (entry.kind == VolumeKind::golden) {
      return store_rules::golden_is_read_only(volume);
    }
    if (layout_.activated(volume)) {
      return store_rules::in_use(volume);
    }
  }
  Fd fd = TRY(open_volume_file(entry.path, access));
  return block_target_of(std::move(fd), entry.path.string());
}

// The volume's own lock is held from the first look to the rename, so that the store is free for others meanwhile.
Result<void> FolderStore::seal(std::string_view volume) {
  const std::string headline = fmt::format("cannot seal volume '{}'", volume);
  Fd fd;
  {
    const FileLock lock = TRY(change());
    const FolderEntry entry = TRY(locate(volume));
    TRY(store_rules::check_sealable(volume, entry.kind));
    if (entry.kind == VolumeKind::golden) {
      return {};
    }
    // A seal that was cut off left it read-only.
    if (::chmod(entry.path.c_str(), 0600) != 0) {
      return fail_errno(headline, errno);
    }
    fd = TRY(open_volume_file(entry.path, Access::read_write));
  }
  TRY_AS(dig_holes(fd.get()), headline);
  if (::fchmod(fd.get(), 0444) != 0 || ::fsync(fd.get()) != 0) {
    return fail_errno(headline, errno);
  }
  const FileLock lock = TRY(change());
  const fs::path staging = layout_.staging(volume);
  const fs::path golden = layout_.golden(volume);
  TRY_AS(make_directories(golden.parent_path()), headline);
  TRY(fail_point("folder.seal.before"));
  if (::rename(staging.c_str(), golden.c_str()) != 0) {
    return fail_errno(headline, errno);
  }
  TRY(fail_point("folder.seal.after"));
  for (const fs::path& folder : {golden.parent_path(), staging.parent_path(), layout_.root()}) {
    TRY_AS(sync_directory(folder), headline);
  }
  return {};
}

Result<void> FolderStore::activate(std::string_view volume) {
  const FileLock lock = TRY(change());
  const FolderEntry entry = TRY(locate(volume));
  TRY(store_rules::check_is_clone(volume, entry.kind, "be activated"));
  if (TRY(volume_file_in_use(entry.path)) && !layout_.activated(volume)) {
    return store_rules::in_use(volume);
  }
  return layout_.set_activated(volume, true);
}

Result<void> FolderStore::deactivate(std::string_view volume) {
  const FileLock lock = TRY(change());
  return layout_.set_activated(TRY(locate(volume)).name, false);
}

Result<void> FolderStore::recover() {
  std::error_code error;
  if (!fs::exists(layout_.root(), error)) {
    return {};
  }
  const FileLock lock = TRY(change());  // which sweeps
  for (const std::string& mark : marks_without_volume(TRY(volumes()))) {
    TRY(layout_.set_activated(mark, false));
  }
  return {};
}

}  // namespace domsmith
