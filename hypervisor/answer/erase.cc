#include "hypervisor/answer/erase.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace domsmith {
namespace {

// blkid's names.
constexpr std::string_view kPhysicalVolume = "LVM2_member";
constexpr std::string_view kArrayMember = "linux_raid_member";

bool is_table(const Signature& one) { return one.type == "gpt" || one.type == "dos" || one.type == "PMBR"; }

template <class Visit>
void each_signature(const InventoryDisk& disk, Visit visit) {
  for (const InventoryPartition& part : disk.partitions) {
    for (const Signature& one : part.holds) {
      visit(part.path, one);
    }
  }
  for (const Signature& one : disk.holds) {
    visit(disk.path, one);
  }
}

// "LVM2_member vg0", for what is in use by something larger and has a name.
std::set<std::string> memberships(const InventoryDisk& disk) {
  std::set<std::string> found;
  each_signature(disk, [&](const std::string&, const Signature& one) {
    if ((one.type == kPhysicalVolume || one.type == kArrayMember) && !one.name.empty()) {
      found.insert(fmt::format("{} {}", one.type, one.name));
    }
  });
  return found;
}

std::string membership_words(const std::string& membership) {
  const auto space = membership.find(' ');
  return fmt::format("{} '{}'", membership.starts_with(kPhysicalVolume) ? "the volume group" : "the array",
                     membership.substr(space + 1));
}

void add_users(const InventoryDisk& disk, std::string_view type, EraseKind kind, std::string_view what,
               std::vector<EraseStep>& steps) {
  std::set<std::string> seen;
  each_signature(disk, [&](const std::string&, const Signature& one) {
    if (one.type == type && !one.name.empty() && seen.insert(one.name).second) {
      steps.push_back({.kind = kind, .target = one.name, .what = std::string(what)});
    }
  });
}

EraseStep removal(const std::string& path, const Signature& one) {
  return {.kind = is_table(one) ? EraseKind::table : EraseKind::signature,
          .target = path,
          .what = is_table(one) ? fmt::format("remove the partition table ({})", one.type)
                                : trimmed(fmt::format("remove the signature {} {}", one.type, one.name))};
}

}  // namespace

Result<void> check_may_take(const InventoryDisk& disk, bool may_erase) {
  if (disk.empty() || may_erase) {
    return {};
  }
  return fail(ErrorCode::bad_input, fmt::format("the disk {} is not empty: {}", disk_text(disk), holdings_text(disk)),
              "to erase it set wipe = \"named\" in [storage] and name the disk's serial number or WWN in [[disk]]");
}

Result<void> check_others_are_whole(const std::vector<InventoryDisk>& chosen, const Inventory& inventory) {
  const auto is_chosen = [&](const InventoryDisk& disk) {
    return std::ranges::any_of(chosen, [&](const InventoryDisk& one) { return one.path == disk.path; });
  };
  for (const InventoryDisk& disk : chosen) {
    const auto here = memberships(disk);
    for (const InventoryDisk& other : inventory.disks) {
      if (is_chosen(other)) {
        continue;
      }
      for (const std::string& membership : memberships(other)) {
        if (here.contains(membership)) {
          return fail(ErrorCode::bad_input,
                      fmt::format("{} on {} has a part on {}, which is not erased", membership_words(membership),
                                  disk.path, disk_text(other)),
                      "take the two apart first, or erase both by hand");
        }
      }
    }
  }
  return {};
}

std::vector<EraseStep> erase_steps(const InventoryDisk& disk) {
  std::vector<EraseStep> steps;
  add_users(disk, kPhysicalVolume, EraseKind::group, "deactivate the volume group", steps);
  add_users(disk, kArrayMember, EraseKind::array, "stop the array", steps);
  for (const InventoryPartition& part : disk.partitions) {
    for (const Signature& one : part.holds) {
      steps.push_back(removal(part.path, one));
    }
  }
  std::vector<Signature> whole = disk.holds;
  std::ranges::stable_partition(whole, [](const Signature& one) { return !is_table(one); });
  for (const Signature& one : whole) {
    steps.push_back(removal(disk.path, one));
  }
  return steps;
}

}  // namespace domsmith
