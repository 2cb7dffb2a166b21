#include "provision/images/inspect.h"

#include "imagebuild/build.h"
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
    seen.content.boot = TRY(boot::extract_boot_files(fs, seen.description.boot));
  }
  seen.content.packages = TRY(packages_of(fs)).size();
  seen.content.used = fs.used_bytes();
  seen.content.filesystem_uuid = extfs::uuid_text(fs.uuid());
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
  fill_columns(record, seen.content);
  return record;
}

}  // namespace domsmith
