// The folder store's verbs that change what a volume is, or how long: adopt, resize.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/fail_point.h"
#include "base/text.h"
#include "lvm-snapshots/folder_store.h"
#include "lvm-snapshots/store_rules.h"
#include "lvm-snapshots/volume_file.h"

namespace domsmith {

namespace fs = std::filesystem;

// Complete on the disk before the rename makes a clone of it, as in seal().
Result<void> FolderStore::adopt(std::string_view volume, std::string_view origin) {
  const std::string headline = fmt::format("cannot make a clone of volume '{}'", volume);
  const FileLock lock = TRY(change());
  const FolderEntry entry = TRY(locate(volume));
  TRY(store_rules::check_adoptable(volume, entry.kind));
  TRY(store_rules::check_origin(origin, TRY(locate(origin)).kind));
  const Fd fd = TRY(open_volume_file(entry.path, Access::read_write));
  TRY_AS(dig_holes(fd.get()), headline);
  if (::fsync(fd.get()) != 0) {
    return fail_errno(headline, errno);
  }
  const fs::path clone = layout_.clone(origin, volume);
  TRY_AS(make_directories(clone.parent_path()), headline);
  TRY(fail_point("folder.adopt.before"));
  if (::rename(entry.path.c_str(), clone.c_str()) != 0) {
    return fail_errno(headline, errno);
  }
  TRY(fail_point("folder.adopt.after"));
  for (const fs::path& folder : {clone.parent_path(), clone.parent_path().parent_path(), entry.path.parent_path()}) {
    TRY_AS(sync_directory(folder), headline);
  }
  return {};
}

Result<void> FolderStore::resize(std::string_view volume, std::uint64_t size) {
  TRY(store_rules::check_new(volume, size));
  const std::string headline = fmt::format("cannot resize volume '{}' to {}", volume, size_text(size));
  const FileLock lock = TRY(change());
  const FolderEntry entry = TRY(locate(volume));
  TRY(store_rules::check_is_clone(volume, entry.kind, "be resized"));
  TRY(check_idle(entry));
  const Fd fd = TRY(open_volume_file(entry.path, Access::read_write));
  TRY(fail_point("folder.resize.before"));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ::fsync(fd.get()) != 0) {
    return fail_errno(headline, errno);
  }
  return fail_point("folder.resize.after");
}

std::vector<std::string> FolderStore::plan_adopt(std::string_view volume, std::string_view origin) const {
  return {fmt::format("mv {} {}", layout_.staging(volume).string(), layout_.clone(origin, volume).string())};
}

std::vector<std::string> FolderStore::plan_resize(std::string_view volume, std::uint64_t size) const {
  const auto entry = layout_.locate(volume);
  return {fmt::format("truncate --size={} {}", size,
                      entry ? entry->path.string() : layout_.root().string() + "/*/" + std::string(volume) + ".img")};
}

}  // namespace domsmith
