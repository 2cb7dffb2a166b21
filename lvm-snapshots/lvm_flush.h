// What LVM has written to its disks is made durable: LVM itself leaves it in their caches. (strace(1) of
// vgrename 2.03.16 shows its metadata written by io_submit(2), with neither O_DSYNC nor fsync(2).)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

// The devices below a group's active volumes, sorted: what its own device-mapper devices stand on (sysfs,
// block/dm-N/slaves) and that is none of them. "/dev/sda2", "/dev/dm-3" (a multipath, say).
std::vector<std::filesystem::path> disks_below(std::string_view group, const std::filesystem::path& sysfs = "/sys");

// fsync(2) of each, which has a disk empty its cache. Where nothing of the group is active there is nothing to find.
Result<void> flush_disks(std::string_view group);

}  // namespace domsmith
