// Whether a kernel can start as a PV or a PVH guest, by the ELF notes that Xen's loader reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "imagebuild/boot/boot_files.h"

namespace domsmith::boot {

// The ELF file inside a bzImage (Documentation/x86/boot.rst: payload_offset, payload_length), or the kernel itself
// where it is one already. nullopt where there is none, its compression is none that we read, or it is larger than
// `limit` bytes.
std::optional<std::string> vmlinux_of(std::string_view kernel, std::uint64_t limit);

// The notes of an ELF64 vmlinux.
KernelAbility elf_ability(std::string_view vmlinux);

// "as a PV and as a PVH guest", "as a PV guest, not as PVH", "neither as a PV nor as a PVH guest".
std::string ability_text(const KernelAbility& ability);

}  // namespace domsmith::boot
