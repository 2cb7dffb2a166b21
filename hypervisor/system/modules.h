// The kernel's modules of a slot, and those that its initramfs needs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hypervisor/system/rules.h"
#include "hypervisor/system/slot_tree.h"

namespace domsmith {

struct EarlyModules {
  std::vector<std::pair<std::string, std::string>> files;  // file name ("ext4.ko") and bytes
  // The initramfs's lists, a path a line, in load order: /modules is loaded always, /modules.medium where the slot is a
  // file of a medium, /modules.arrays where a disk is one of an array.
  std::vector<std::pair<std::string, std::string>> lists;  // name and text
  std::string drivers;                                     // its /drivers (hypervisor/init/devices.h)
};

// Puts the modules of the list, what they need, and their indexes (depmod(8)) into the tree. not_found for a module
// that the kernel has not.
Result<EarlyModules> add_modules(SlotTree& tree, extfs::FileSystem& image, const std::string& version,
                                 const ModuleList& list);

}  // namespace domsmith
