// From the initramfs to the real root, as Documentation/filesystems/ramfs-rootfs-initramfs.rst has it.
#pragma once

#include <string>

namespace domsmith::agent {

// Moves /dev, /proc and /sys below `new_root`, frees the memory of the initramfs, makes `new_root` the root. Empty:
// done; else why not. There is no way back once the moving has begun.
std::string switch_root(const char* new_root);

}  // namespace domsmith::agent
