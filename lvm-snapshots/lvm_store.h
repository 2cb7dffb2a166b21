#pragma once
#include "lvm-snapshots/store.h"
namespace domsmith {
Result<std::unique_ptr<VolumeStore>> open_lvm_store(std::string group, std::string pool);
}  // namespace domsmith
