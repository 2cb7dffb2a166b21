// What a machine has, as far as an installation asks: disks with what they hold, network cards, firmware. A value that
// can be saved as JSON on one machine and planned with on another.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

// A signature as wipefs(8) and lsblk(8) name it: "gpt", "ext4", "LVM2_member", "linux_raid_member".
struct Signature {
  std::string type;
  std::string name;  // the volume group, array or label it belongs to; may be empty
};

struct InventoryPartition {
  std::string path;
  std::uint64_t size = 0;
  std::vector<Signature> holds;
};

struct InventoryDisk {
  std::string path;  // "/dev/nvme0n1"
  std::uint64_t size = 0;
  std::string bus;  // "nvme", "sata", "sas", "scsi", "virtio", "usb", "mmc"
  std::string model;
  std::string serial;
  std::string wwn;
  bool read_only = false;
  bool removable = false;
  bool unfinished = false;       // an installation of ours began on it and did not come to its end
  std::vector<Signature> holds;  // on the whole disk, the partition table included
  std::vector<InventoryPartition> partitions;
  [[nodiscard]] bool empty() const { return holds.empty() && partitions.empty(); }
};

struct InventoryCard {
  std::string name;  // "eno1"
  std::string mac;   // lower case
};

struct Inventory {
  bool uefi = false;
  std::uint64_t memory = 0;  // bytes
  std::vector<InventoryDisk> disks;
  std::vector<InventoryCard> cards;
};

// {"schema": 1, "firmware": "uefi", "memory": …, "disks": […], "network": […]}. bad_input says which member is missing
// or wrong.
Result<Inventory> parse_inventory(std::string_view json, std::string_view file);
nlohmann::json inventory_json(const Inventory& inventory);

// One line: "/dev/sda, 480.1 GB, sata, Samsung SSD, serial S3Z1".
std::string disk_text(const InventoryDisk& disk);
// "gpt; /dev/sda1 vfat EFI; /dev/sda2 LVM2_member vg0"; "nothing" for an empty disk.
std::string holdings_text(const InventoryDisk& disk);

}  // namespace domsmith
