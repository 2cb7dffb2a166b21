// The external commands of an installation, as values: for --plan, for tests, and for the executor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hypervisor/answer/install_plan.h"

namespace domsmith {

struct InstallCommand {
  std::vector<std::string> argv;  // argv[0] is a program's name, found when it runs
  std::string input;              // what its standard input gives
  bool may_fail = false;          // a thing that may be gone already
};

// "/dev/sda" and 3 -> "/dev/sda3"; "/dev/nvme0n1" -> "/dev/nvme0n1p3".
std::string partition_path(const std::string& disk, unsigned number);
// "/dev/vg0/slot-a"
std::string volume_path(const InstallPlan& plan, const std::string& volume);
// What LVM lies on: the array, or the third partition of the only disk.
std::string group_device(const InstallPlan& plan);

std::vector<InstallCommand> erase_commands(const EraseStep& step);
// What stood where the new partitions are now must not be taken for theirs.
InstallCommand clear_command(const PlannedDisk& disk);
InstallCommand array_command(const InstallPlan& plan);
// pvcreate, vgcreate, and lvcreate for each volume.
std::vector<InstallCommand> volume_commands(const InstallPlan& plan);
InstallCommand state_command(const InstallPlan& plan);  // mkfs.ext4(8)
InstallCommand esp_command(const PlannedDisk& disk);    // mkfs.vfat(8)

}  // namespace domsmith
