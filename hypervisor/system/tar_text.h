// A slot's tree as a tar archive (POSIX ustar; GNU's long names), for mksquashfs(1). The same tree gives the same
// bytes.
#pragma once

#include <string>

#include "hypervisor/system/slot_tree.h"

namespace domsmith {

std::string tar_of(const SlotTree& tree);

}  // namespace domsmith
