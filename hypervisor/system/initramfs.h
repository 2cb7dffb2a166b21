// The initramfs of a slot: /init (hypervisor/init), LVM and mdadm with their libraries, the early modules.
#pragma once

#include <string>

#include "hypervisor/system/modules.h"

namespace domsmith {

// A cpio, not packed. Programs and libraries are taken from the tree; not_found names the one
// that is missing.
Result<std::string> make_host_initramfs(const SlotTree& tree, const EarlyModules& modules);

}  // namespace domsmith
