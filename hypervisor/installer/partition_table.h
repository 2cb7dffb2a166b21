// The GUID partition table of a disk, both copies and the protective MBR (UEFI 2.10, chapter 5). Written here, so that
// a host needs no sfdisk and the libraries that it brings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/block_target.h"
#include "base/crypto.h"
#include "base/result.h"
#include "hypervisor/answer/install_plan.h"

namespace domsmith {

// The 16 bytes of "D0351171-…" as they stand in tables of UEFI: the first three groups are little-endian numbers, the
// rest is bytes (UEFI 2.10, appendix A). bad_input: it is none.
Result<std::string> guid_bytes(const std::string& text);

struct TablePiece {
  std::uint64_t offset = 0;  // bytes
  std::string bytes;
};

// Of a disk of `size` bytes with sectors of 512. GUIDs as text, "D0351171-…"; `entry_guids` are those of the
// partitions, in their order. bad_input: a GUID is none, or there are not as many as partitions.
Result<std::vector<TablePiece>> partition_table(std::uint64_t size, const std::vector<PlannedPartition>& partitions,
                                                const std::string& disk_guid,
                                                const std::vector<std::string>& entry_guids);

// The boot code of the first sector stays.
Result<void> write_partition_table(BlockTarget& disk, const std::vector<PlannedPartition>& partitions,
                                   const std::string& disk_guid, const std::vector<std::string>& entry_guids);

}  // namespace domsmith
