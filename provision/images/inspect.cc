#include "provision/images/inspect.h"

#include "imagebuild/extfs/filesystem.h"

namespace domsmith {

namespace {
constexpr std::uint64_t longest_dpkg_status = 64U << 20;

Result<std::vector<InstalledPackage>> packages_of(extfs::FileSystem& fs) {
  auto status = fs.read_file("/var/lib/dpkg/status", longest_dpkg_status);
  if (!status && status.error().code == ErrorCode::not_found) {
    return std::vector<InstalledPackage>{};
  }
  return installed_packages(TRY(std::move(status)));
}

}  // namespace

Result<Inspection> inspect_image(BlockTarget& image) {
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(image, Access::read_only));
  Inspection seen;
  seen.description = TRY(read_description(fs));
  if (seen.description.boot.kernel != "none") {
    seen.boot = TRY(boot::extract_boot_files(fs, seen.description.boot));
  }
  seen.packages = TRY(packages_of(fs));
  seen.used = fs.used_bytes();
  seen.filesystem_uuid = extfs::uuid_text(fs.uuid());
  return seen;
}

ImageRecord record_of(const Inspection& seen) {
  ImageRecord record;
  record.name = seen.description.name;
  record.version = seen.description.version;
  record.distribution = seen.description.distribution;
  record.release = seen.description.release;
  record.architecture = seen.description.architecture;
  record.recipe_sha256 = seen.description.recipe_sha256;
  record.used = seen.used;
  record.packages = seen.packages.size();
  record.filesystem_uuid = seen.filesystem_uuid;
  record.kernel_sha256 = seen.boot.kernel_sha256;
  record.initrd_sha256 = seen.boot.initrd_sha256;
  record.kernel_version = seen.boot.version;
  record.cmdline = seen.boot.cmdline;
  return record;
}

Populated populated_of(Inspection seen) {
  Populated populated;
  populated.used = seen.used;
  populated.packages = seen.packages.size();
  populated.filesystem_uuid = std::move(seen.filesystem_uuid);
  populated.boot = std::move(seen.boot);
  return populated;
}

}  // namespace domsmith
