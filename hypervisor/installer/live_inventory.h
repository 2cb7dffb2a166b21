// What this machine has, from sysfs, udev's database and blkid(8).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hypervisor/answer/inventory.h"

namespace domsmith {

// The disk GUID that a disk bears from its partitioning to the end of an installation: by it a second try knows what is
// its own. `number` tells the disks of one installation apart.
std::string unfinished_guid(std::size_t number);

// `root` is "/" but for tests. Loop devices, device-mapper, arrays, CD drives and RAM disks are no disks to install to;
// nor is the disk that holds what is mounted at /media.
Result<Inventory> live_inventory(const std::filesystem::path& root = "/");

// blkid(8) -o export: the signatures that "KEY=value" lines tell of.
std::vector<Signature> signatures_of_blkid(std::string_view text);

}  // namespace domsmith
