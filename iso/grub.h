// GRUB's images, made by grub-mkimage(1): those that start the medium, and those that the installer puts on a disk. All
// modules that the menus use are inside, so nothing has to be found before the menu.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace domsmith {

// Where the packages grub-pc-bin and grub-efi-amd64-bin put their modules.
inline constexpr const char* grub_bios_folder = "/usr/lib/grub/i386-pc";
inline constexpr const char* grub_efi_folder = "/usr/lib/grub/x86_64-efi";

// Of the medium: bios.img (El Torito, no emulation) and efi.img (a FAT file system with EFI/BOOT/BOOTX64.EFI). They
// look for the medium's mark and read /boot/grub/grub.cfg beside it.
Result<void> make_medium_images(const std::filesystem::path& bios, const std::filesystem::path& efi);

// Of an installed disk, into a folder: boot.img and core.img for BIOS machines, BOOTX64.EFI for UEFI. They read
// /grub/grub.cfg of the EFI system partition that they were started from (BIOS: the second partition of the disk).
Result<void> make_disk_images(const std::filesystem::path& folder);

}  // namespace domsmith
