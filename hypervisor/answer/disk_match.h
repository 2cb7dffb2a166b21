// Which disk is meant: by what a person knows of it before the machine has been seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/answer/inventory.h"

namespace domsmith {

// ">= 100GiB", "<= 1TB", "500GB" (within 7 %, for makers count in powers of ten and round), "100GiB..2TiB".
struct SizeRange {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};
std::optional<SizeRange> parse_size_range(std::string_view text);

// Every field that is not empty must fit. Serial numbers and WWNs are compared whole, without regard to case;
// `model` is a pattern of fnmatch(3).
struct DiskMatch {
  std::string size_text;
  SizeRange size;
  std::string bus;
  std::string model;
  std::string serial;
  std::string wwn;
  [[nodiscard]] bool names_it() const { return !serial.empty() || !wwn.empty(); }
};

bool fits(const DiskMatch& match, const InventoryDisk& disk);
// "size >= 100GiB, bus nvme"; "any disk" where nothing is asked for.
std::string match_text(const DiskMatch& match);

// The disk of each match, in their order. A match that fits no disk, or more than one that no other match has taken, is
// an error that lists what was found; so is a disk that is read-only or removable.
Result<std::vector<InventoryDisk>> choose_disks(const std::vector<DiskMatch>& matches, const Inventory& inventory);

}  // namespace domsmith
