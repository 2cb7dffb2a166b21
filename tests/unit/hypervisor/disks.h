// Disks of machines that tests install on.
#pragma once

#include <cstdint>
#include <string>

#include "hypervisor/answer/inventory.h"

namespace domsmith {

// An empty one.
inline InventoryDisk sata_disk(const std::string& path, std::uint64_t size, const std::string& serial) {
  return {.path = path,
          .size = size,
          .bus = "sata",
          .model = "M",
          .serial = serial,
          .wwn = "",
          .holds = {},
          .partitions = {}};
}

}  // namespace domsmith
