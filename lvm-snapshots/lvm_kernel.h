// The kernel's device-mapper devices of a volume group, beside what LVM says of it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_report.h"

namespace domsmith {

// The names of all device-mapper devices (DM_DEVICE_LIST: one ioctl, however many there are).
Result<std::vector<std::string>> mapped_names();

// The group's volumes that are active, a thin pool by its innermost device; one ioctl each.
Result<LvmMappedVolumes> mapped_volumes(std::string_view group);

// Those of `names` that are devices of a volume of that group which the group does not have, as it is left behind where
// metadata was changed under an active volume. LVM names a device GROUP-VOLUME or GROUP-VOLUME-LAYER, a dash inside of
// a name doubled (libdm, dm_build_dm_name). Internal volumes (pool_tmeta) are passed over: no report shows them.
std::vector<std::string> without_volume(std::span<const std::string> names, const LvmGroup& group);

}  // namespace domsmith
