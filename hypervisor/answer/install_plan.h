// What an installation will do to the disks, and what it will make: decided from an answer file and an inventory, with
// no device touched. The executor carries out just this.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/inventory.h"

namespace domsmith {

// pvcreate --metadatasize: each thin volume is text in there, twice; 1 MiB is full at about 1,500 of them. GRUB reads
// all of it at each start, and takes twice as much memory meanwhile (grub-core/disk/lvm.c), so it may not be large
// either. Bytes.
inline constexpr std::uint64_t group_metadata = 8ULL << 20;

// The GPT entry of the EFI system partition that an installation makes on each disk.
inline constexpr std::string_view esp_name = "esp";

// Taken apart from the inside out: volume groups and arrays that use the disk first, then the signatures of partitions,
// then the table.
enum class EraseKind { group, array, signature, table };

struct EraseStep {
  EraseKind kind = EraseKind::signature;
  std::string target;  // a volume group, an array's member or a block device
  std::string what;    // "deactivate the volume group", "stop the array", "remove the signature ext4 root"
};

struct PlannedPartition {
  unsigned number = 0;
  std::string name;  // of the GPT entry
  std::string type;  // GUID, UEFI 2.10 table 5.7 and the Discoverable Partitions Specification
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

struct PlannedDisk {
  InventoryDisk disk;
  std::vector<EraseStep> erase;
  std::vector<PlannedPartition> partitions;
};

struct PlannedVolume {
  std::string name;
  std::uint64_t size = 0;
  std::string what;
  std::uint64_t metadata = 0;  // of the thin pool
};

struct InstallPlan {
  std::string host;
  bool uefi = false;
  std::vector<PlannedDisk> disks;
  std::string array;  // of RAID 1: "/dev/md/domsmith"; "" without
  std::string volume_group;
  std::vector<PlannedVolume> volumes;  // in the order they are made; the thin pool is the last
  std::vector<AnswerNetwork> networks;
  std::vector<std::string> firmware;  // titles in the firmware's list of what to start, a disk each; UEFI only
};

// bad_input: no disk or more than one fits; a chosen disk holds data and may not be erased; the disk is too small (the
// error says by how much); a network card is absent.
Result<InstallPlan> plan_install(const Answer& answer, const Inventory& inventory);
std::string install_plan_text(const InstallPlan& plan);
nlohmann::json install_plan_json(const InstallPlan& plan);

}  // namespace domsmith
