// The files that start a guest: the image's own kernel, and an initramfs with only what a PV or PVH guest needs.
//
// Both are read out of the image through libext2fs under size limits; nothing is mounted, no link that leaves the image
// is followed. The kernel is kept unpacked: Xen's loader would unpack it again at each start. The initramfs holds /init
// (boot/agent), the kernel modules xen-blkfront, xen-netfront, the root file system's and those the recipe names, with
// everything modules.dep(5) says they need, and the order to load them in. The same image gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::extfs {
class FileSystem;
}

namespace domsmith::boot {

// What Xen can do with a kernel, from its ELF notes (xen/include/public/elfnote.h): XEN_ELFNOTE_ENTRY with PV features,
// XEN_ELFNOTE_PHYS32_ENTRY for PVH.
struct KernelAbility {
  bool known = false;  // false: the notes could not be read (an unusual compression)
  bool pv = false;
  bool pvh = false;
  bool operator==(const KernelAbility&) const = default;
};

struct BootFiles {
  std::string version;  // "6.1.0-56-amd64"
  std::string kernel;   // the unpacked ELF file (vmlinux); as it was where it cannot be unpacked
  std::string kernel_sha256;
  std::string initrd;  // cpio, newc
  std::string initrd_sha256;
  std::uint64_t initrd_unpacked = 0;  // bytes the guest's memory holds of it
  std::vector<std::string> modules;   // names, in load order
  std::string cmdline;
  KernelAbility ability;
};

struct BootLimits {
  std::uint64_t kernel = 64ULL << 20;  // bytes, as it lies in the image
  std::uint64_t vmlinux = 192ULL << 20;
  std::uint64_t module = 16ULL << 20;
  std::uint64_t total = 128ULL << 20;
};

// The newest kernel of the image that the recipe's package brought. Errors: not_found (no kernel, or a module that the
// kernel has not), unsupported, no_space (a limit).
Result<BootFiles> extract_boot_files(extfs::FileSystem& image, const Recipe::Boot& wanted,
                                     const std::string& root_type = "ext4", const BootLimits& limits = {});

}  // namespace domsmith::boot
