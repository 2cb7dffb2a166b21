#include "provision/images/verify.h"

#include <fmt/format.h>

#include <chrono>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/boot/cache.h"
#include "provision/images/inspect.h"

namespace domsmith {

namespace {

VerifyCheck check_volume(const VolumeInfo& volume, const ImageRecord& image) {
  const bool golden = volume.kind == VolumeKind::golden && volume.size == image.size;
  return {"volume", golden, fmt::format("{}, {}", golden ? "golden" : "not golden", size_text(volume.size))};
}

VerifyCheck check_boot_file(std::string what, const std::filesystem::path& path, const std::string& sha256) {
  const auto bytes = read_file(path, boot::longest_boot_file);
  if (!bytes) {
    return {std::move(what), false, bytes.error().what};
  }
  const bool same = sha256_hex(*bytes) == sha256;
  return {std::move(what), same,
          same ? fmt::format("SHA-256 {:.12}…", sha256) : "its bytes are not what its name says"};
}

VerifyCheck check_contents(BlockTarget& target, const ImageRecord& image) {
  const auto seen = inspect_image(target);
  if (!seen) {
    return {"contents", false, seen.error().what};
  }
  const ImageRecord found = record_of(*seen);
  const bool same = found.filesystem_uuid == image.filesystem_uuid && found.initrd_sha256 == image.initrd_sha256 &&
                    found.kernel_sha256 == image.kernel_sha256 && found.packages == image.packages;
  return {"contents", same,
          same ? fmt::format("{} packages, kernel {}", found.packages, found.kernel_version)
               : std::string("not what was built: packages, kernel or UUID differ")};
}

VerifyCheck check_filesystem(const std::string& device) {
  const auto program = find_program("e2fsck");
  if (!program) {
    return {"e2fsck -fn", false, program.error().what};
  }
  RunOptions options;
  options.timeout = std::chrono::minutes(10);
  const auto ran = run({.argv = {*program, "-fn", device}, .environment = {}, .working_directory = {}}, options);
  if (!ran) {
    return {"e2fsck -fn", false, ran.error().what};
  }
  return {"e2fsck -fn", ran->status.success(), ran->status.success() ? "clean" : trimmed(ran->out)};
}

}  // namespace

Result<std::vector<VerifyCheck>> verify_image(Workplace& place, VolumeStore& store, const ImageRecord& image) {
  const VolumeInfo volume = TRY(store.find(image.volume));
  std::vector<VerifyCheck> checks{check_volume(volume, image)};
  if (!image.kernel_sha256.empty()) {
    const boot::BootCache cache(place.boot);
    checks.push_back(check_boot_file("kernel", cache.kernel_path(image.kernel_sha256), image.kernel_sha256));
    checks.push_back(check_boot_file("initramfs", cache.initrd_path(image.initrd_sha256), image.initrd_sha256));
  }
  const std::unique_ptr<BlockTarget> target = TRY(store.open(image.volume, Access::read_only));
  checks.push_back(check_contents(*target, image));
  if (std::filesystem::exists(target->name())) {
    checks.push_back(check_filesystem(target->name()));
  }
  return checks;
}

}  // namespace domsmith
