#include "provision/images/import_disk.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"
#include "imagebuild/build.h"
#include "imagebuild/extfs/writer.h"
#include "imagebuild/foreign/adapt.h"
#include "imagebuild/foreign/foreign_disk.h"
#include "imagebuild/recipe/host.h"
#include "provision/images/inspect.h"

namespace domsmith {

namespace {

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr std::uint64_t least_size = 64 * mebibyte;

Result<void> write_tree(foreign::ForeignDisk& disk, BlockTarget& target, std::uint64_t size, Progress& progress) {
  extfs::FormatOptions options;
  options.label = "root";
  options.size = size;
  extfs::FileSystem fs = TRY(extfs::FileSystem::format(target, options));
  {
    extfs::TreeWriter writer(fs);
    TRY(disk.copy_to(writer, progress));
    TRY(writer.finish());
  }
  return fs.close();
}

Result<Populated> adapt(BlockTarget& target, const foreign::ForeignSystem& system, ImageDescription description,
                        Progress& progress) {
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_write));
  TRY_AS(foreign::adapt_system(fs, system.mountpoints, "ext4"), "cannot fit the system to a Xen guest");
  TRY(name_system(fs, description));
  TRY(write_description(fs, description));
  TRY(fs.close());
  const Inspection seen = TRY(inspect_image(target));
  say_ability(seen.content.boot, progress);
  Populated populated = seen.content;
  populated.distribution = description.distribution;
  populated.release = description.release;
  return populated;
}

}  // namespace

Result<ImageRecord> import_disk(Workplace& place, VolumeStore& store, const DiskImport& wanted, Progress& progress) {
  TRY(check_name("name of an image", wanted.name));
  progress.begin("disk");
  foreign::ForeignDisk disk = TRY(foreign::ForeignDisk::open(wanted.path, wanted.format));
  progress.end("disk");
  const foreign::ForeignSystem& system = disk.system();
  if (system.architecture != host_architecture()) {
    return fail(ErrorCode::unsupported,
                fmt::format("the disk's system is for {}, this host is {}", system.architecture, host_architecture()));
  }
  ImageDescription description;
  description.name = wanted.name;
  description.version = "1";
  description.architecture = system.architecture;
  ImageRecord record;
  record.name = wanted.name;
  record.version = description.version;
  record.architecture = system.architecture;
  const std::uint64_t bytes = std::max(wanted.size == 0 ? system.size : wanted.size, least_size);
  record.size = (bytes + mebibyte - 1) / mebibyte * mebibyte;
  record.created = system_clock().now();
  return make_image(
      place, store, "import", record,
      [&](BlockTarget& target, const std::filesystem::path&) -> Result<Populated> {
        TRY(write_tree(disk, target, record.size, progress));
        return adapt(target, system, description, progress);
      },
      progress);
}

}  // namespace domsmith
