// Whether a kernel can start as a PV or a PVH guest, by the ELF notes that Xen's loader reads.
#pragma once

#include <string_view>

#include "imagebuild/boot/boot_files.h"

namespace domsmith::boot {

// `kernel` is a bzImage (Documentation/x86/boot.rst: payload_offset, payload_length) or an ELF file. An ability that is
// not `known` where it is neither, or its compression is none that we read.
KernelAbility kernel_ability(std::string_view kernel);

// The notes of an ELF64 vmlinux.
KernelAbility elf_ability(std::string_view vmlinux);

}  // namespace domsmith::boot
