// GRUB's boot code for BIOS machines: what grub-bios-setup(8) writes, without its need of a running GRUB. boot.img goes
// into the first sector, core.img into the BIOS boot partition, and each is told where the next lies.
//
// Offsets: GRUB 2.06, include/grub/i386/pc/boot.h (kernel sector, boot drive's check) and diskboot.S (block list at the
// end of the first sector of core.img).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/block_target.h"
#include "base/result.h"

namespace domsmith {

struct BootCode {
  std::string boot;  // boot.img, 512 bytes
  std::string core;  // core.img of grub-mkimage -O i386-pc
};

// The two as they lie on a disk whose BIOS boot partition begins at `start` bytes. bad_input: they are none of GRUB's.
Result<BootCode> placed_boot_code(const BootCode& code, std::uint64_t start);

// Keeps the partition table in the first sector. no_space: core.img is larger than the partition.
Result<void> write_boot_code(BlockTarget& disk, const BootCode& code, std::uint64_t start, std::uint64_t size);

}  // namespace domsmith
