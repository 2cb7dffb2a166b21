// A disk of any bytes. An input is a list of changes to a sound ext4 image with a kernel in it:
//     flags:u8 (offset:u24 length:u8 byte*)*
// so that mutations meet metadata and not file contents. With bit 0 of flags the image has no checksums, which would
// refuse nearly every change. The rest of the input is also looked at as the header of a qcow2 file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "imagebuild/archive/decompress.h"
#include "imagebuild/boot/boot_files.h"
#include "imagebuild/build.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/foreign/adapt.h"
#include "imagebuild/foreign/disk_format.h"
#include "provision/images/description.h"
#include "provision/images/diff.h"
#include "tests/unit/boot/kernels.h"

namespace domsmith {
namespace {

constexpr std::uint64_t image_bytes = 2U << 20;

Result<std::vector<std::byte>> make_image() {
  const auto target = memory_target(image_bytes);
  extfs::FileSystem image = TRY(extfs::FileSystem::format(*target, {.label = "fuzz", .time = 0}));
  const std::string modules = "/usr/lib/modules/6.1.0-10-amd64/";
  for (const std::string& folder : {std::string("/boot"), modules + "kernel", std::string("/etc/ssh"),
                                    std::string("/var/lib/dpkg"), std::string("/var/lib/systemd")}) {
    TRY(image.make_directories(folder));
  }
  TRY(image.symlink("/lib", "usr/lib"));
  TRY(image.write_file("/boot/vmlinuz-6.1.0-10-amd64",
                       boot::bz_image(TRY(compress(boot::vmlinux_with({1, 18}), Compression::gzip)))));
  TRY(image.write_file(modules + "modules.dep", "kernel/xen-blkfront.ko:\nkernel/xen-netfront.ko:\nkernel/ext4.ko:\n"));
  for (const char* module : {"xen-blkfront.ko", "xen-netfront.ko", "ext4.ko"}) {
    TRY(image.write_file(modules + "kernel/" + module, module));
  }
  TRY(image.write_file("/etc/fstab", "UUID=0 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n"));
  TRY(image.write_file("/etc/machine-id", "0123\n", {.mode = 0444, .xattrs = {{"user.a", "b"}}}));
  TRY(image.write_file("/var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n"));
  TRY(image.close());
  std::vector<std::byte> bytes(image_bytes);
  TRY(target->read(0, bytes));
  return bytes;
}

const std::vector<std::byte>& sound_image() {
  static const std::vector<std::byte> bytes = make_image().value();
  return bytes;
}

void change(std::vector<std::byte>& bytes, std::span<const std::uint8_t> input) {
  constexpr std::size_t no_checksums_at = 1024 + 0x64;  // s_feature_ro_compat
  if ((input[0] & 1U) != 0) {
    bytes[no_checksums_at + 1] &= ~std::byte{0x04};  // RO_COMPAT_METADATA_CSUM
  }
  for (std::span<const std::uint8_t> rest = input.subspan(1); rest.size() > 4;) {
    const std::size_t offset = (rest[0] | std::size_t{rest[1]} << 8U | std::size_t{rest[2]} << 16U) % bytes.size();
    const std::size_t length = std::min<std::size_t>({rest[3], rest.size() - 4, bytes.size() - offset});
    for (std::size_t i = 0; i < length; ++i) {
      bytes[offset + i] = std::byte{rest[4 + i]};
    }
    rest = rest.subspan(4 + length);
  }
}

// All that an import, a verification and a comparison do; what they answer does not matter.
Result<void> read_all(BlockTarget& target) {
  extfs::FileSystem image = TRY(extfs::FileSystem::open(target, Access::read_only));
  extfs::FileSystem same = TRY(extfs::FileSystem::open(target, Access::read_only));
  (void)installed_in(image);
  (void)read_description(image);
  (void)boot::extract_boot_files(image, Recipe::Boot{.kernel = "", .modules = {}});
  (void)diff_files(image, same);
  (void)image.xattrs("/etc/machine-id");
  for (auto range = TRY(image.next_used(0)); range; range = TRY(image.next_used(range->offset + range->length))) {
    if (range->length == 0 || range->offset + range->length > target.size()) {
      std::abort();
    }
  }
  return {};
}

Result<void> adapt(BlockTarget& target) {
  extfs::FileSystem image = TRY(extfs::FileSystem::open(target, Access::read_write));
  TRY(foreign::adapt_system(image, {"/"}, "ext4"));
  return image.close();
}

}  // namespace
}  // namespace domsmith

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace domsmith;  // NOLINT(google-build-using-namespace): a main of ten lines
  if (size < 2) {
    return 0;
  }
  (void)foreign::check_qcow2_header({reinterpret_cast<const char*>(data), size});
  std::vector<std::byte> bytes = sound_image();
  change(bytes, {data, size});
  const auto target = memory_target(bytes.size());
  if (!target->write(0, bytes)) {
    std::abort();
  }
  (void)read_all(*target);
  (void)adapt(*target);
  return 0;
}
