// The erase guard: which disk an installation may take, and in which order what is on it is taken apart.
#pragma once

#include <vector>

#include "base/result.h"
#include "hypervisor/answer/install_plan.h"

namespace domsmith {

// bad_input for a disk that is not empty, unless the answer file names it and says that it is to be erased.
Result<void> check_may_take(const InventoryDisk& disk, bool may_erase);

// bad_input where a volume group or an array on a chosen disk has a part on a disk that is not chosen: erasing one
// would break the other.
Result<void> check_others_are_whole(const std::vector<InventoryDisk>& chosen, const Inventory& inventory);

// Users first (volume groups, then arrays, which volume groups may lie on), then signatures of partitions, then those
// of the disk itself, its partition table last. Empty for an empty disk.
std::vector<EraseStep> erase_steps(const InventoryDisk& disk);

}  // namespace domsmith
