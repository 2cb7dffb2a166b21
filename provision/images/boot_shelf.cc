#include "provision/images/boot_shelf.h"

#include <filesystem>
#include <set>
#include <string>

#include "imagebuild/boot/cache.h"

namespace domsmith {

namespace {
std::filesystem::path lock_file(const Workplace& place) { return place.state / "locks" / "boot.lock"; }
}  // namespace

Result<FileLock> hold_boot_shelf(const Workplace& place) {
  return FileLock::acquire(lock_file(place), FileLock::Mode::shared);
}

Result<void> clear_boot_shelf(Workplace& place) {
  if (!std::filesystem::exists(place.boot)) {
    return {};
  }
  const auto alone = FileLock::try_acquire(lock_file(place), FileLock::Mode::exclusive);
  if (!alone) {
    if (alone.error().code == ErrorCode::busy) {
      return {};
    }
    return std::unexpected(alone.error());
  }
  std::set<std::string> used;
  for (const ImageRecord& image : TRY(place.registry.list_images())) {
    used.insert(image.kernel_sha256);
    used.insert(image.initrd_sha256);
  }
  TRY(boot::BootCache(place.boot).remove_unreferenced(used));
  return {};
}

}  // namespace domsmith
