#include "hypervisor/boot/boot_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/little_endian.h"

namespace domsmith {
namespace {

constexpr std::size_t sector = 512;
constexpr std::size_t code_end = 440;            // the disk's signature and the partition table begin there
constexpr std::size_t kernel_sector = 0x5c;      // GRUB_BOOT_MACHINE_KERNEL_SECTOR, 64 bits
constexpr std::size_t drive_check = 0x66;        // GRUB_BOOT_MACHINE_DRIVE_CHECK: two bytes
constexpr std::size_t block_list = sector - 12;  // start (64 bits), length and segment (16 bits each)
constexpr std::uint16_t kernel_segment = 0x820;  // GRUB_BOOT_MACHINE_KERNEL_SEG + one sector, in paragraphs

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

Result<BootCode> placed_boot_code(const BootCode& code, std::uint64_t start) {
  if (code.boot.size() != sector || code.boot[510] != '\x55' || code.boot[511] != '\xaa' ||
      code.core.size() < 2 * sector) {
    return fail(ErrorCode::bad_input, "the boot code is none of GRUB's", "make the medium again: domsmith iso build");
  }
  const std::uint64_t first = start / sector;
  BootCode placed = code;
  put_little_endian(placed.boot, kernel_sector, first, 8);
  // Two NOPs instead of a jump: a BIOS that names a floppy although it started a disk is not believed.
  put_little_endian(placed.boot, drive_check, 0x9090, 2);
  placed.core.resize((placed.core.size() + sector - 1) / sector * sector, '\0');
  put_little_endian(placed.core, block_list, first + 1, 8);
  put_little_endian(placed.core, block_list + 8, placed.core.size() / sector - 1, 2);
  put_little_endian(placed.core, block_list + 10, kernel_segment, 2);
  return placed;
}

Result<void> write_boot_code(BlockTarget& disk, const BootCode& code, std::uint64_t start, std::uint64_t size) {
  const BootCode placed = TRY(placed_boot_code(code, start));
  if (placed.core.size() > size) {
    return fail(ErrorCode::no_space,
                fmt::format("GRUB's core image has {} bytes, the partition for it {}", placed.core.size(), size));
  }
  TRY(disk.write(start, as_bytes(placed.core)));
  std::array<std::byte, sector> first{};
  TRY(disk.read(0, first));
  std::ranges::copy(as_bytes(placed.boot).first(code_end), first.begin());
  first[510] = std::byte{0x55};
  first[511] = std::byte{0xaa};
  TRY(disk.write(0, first));
  return disk.flush();
}

}  // namespace domsmith
