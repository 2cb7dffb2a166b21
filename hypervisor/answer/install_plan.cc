#include "hypervisor/answer/install_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "hypervisor/answer/disk_match.h"
#include "hypervisor/answer/erase.h"
#include "provision/registry/mac.h"

namespace domsmith {
namespace {

constexpr std::uint64_t mib = 1U << 20;
constexpr std::uint64_t extent = 4 * mib;
constexpr std::uint64_t bios_boot_size = mib;
constexpr std::uint64_t esp_size = 64 * mib;
// What mdadm(8) keeps before the data of an array with metadata 1.2, at the most.
constexpr std::uint64_t array_overhead = 128 * mib;
constexpr std::uint64_t least_pool = 256 * mib;

constexpr std::string_view kBiosBoot = "21686148-6449-6E6F-744E-656564454649";
constexpr std::string_view kEsp = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
constexpr std::string_view kLvm = "E6D6D379-F507-44C2-A23C-238F2A3DF928";
constexpr std::string_view kRaid = "A19D880F-05FC-4D3B-A006-743F0F84911E";

std::uint64_t round_down(std::uint64_t size, std::uint64_t unit) { return size / unit * unit; }
std::uint64_t round_up(std::uint64_t size, std::uint64_t unit) { return round_down(size + unit - 1, unit); }

// Boots with both kinds of firmware, so that the disk can move to another machine.
std::vector<PlannedPartition> partitions_of(const InventoryDisk& disk, bool raid) {
  std::vector<PlannedPartition> parts{
      {.number = 1, .name = "bios-boot", .type = std::string(kBiosBoot), .start = mib, .size = bios_boot_size},
      {.number = 2, .name = std::string(esp_name), .type = std::string(kEsp), .start = 2 * mib, .size = esp_size}};
  const std::uint64_t start = 2 * mib + esp_size;
  const std::uint64_t end = round_down(disk.size, mib) - mib;  // the table's second copy
  parts.push_back({.number = 3,
                   .name = raid ? "raid" : "lvm",
                   .type = std::string(raid ? kRaid : kLvm),
                   .start = start,
                   .size = end > start ? end - start : 0});
  return parts;
}

// Twice 64 bytes for each 64 KiB of data, as dm-thin's mapping needs when half of a pool is shared by snapshots, and
// not less than a thousand small clones take.
std::uint64_t pool_metadata(std::uint64_t pool) {
  return std::clamp<std::uint64_t>(round_up(pool / 512, extent), 16 * mib, 16'384 * mib);
}

// What the volume group has for volumes, in whole extents.
std::uint64_t group_size(const std::vector<PlannedDisk>& disks, bool raid) {
  std::uint64_t least = UINT64_MAX;
  for (const PlannedDisk& disk : disks) {
    least = std::min(least, disk.partitions.back().size);
  }
  const std::uint64_t overhead = group_metadata + (raid ? array_overhead : 0);
  return least > overhead ? round_down(least - overhead, extent) : 0;
}

// The greatest pool that fits with its metadata and their spare copy.
std::uint64_t pool_of(std::uint64_t room) {
  const std::uint64_t guess = round_down(room / 257 * 256, extent);  // metadata twice: 2/512
  for (std::uint64_t pool = guess;; pool -= extent) {
    if (pool < extent || pool + 2 * pool_metadata(pool) <= room) {
      return pool;
    }
  }
}

Result<std::vector<PlannedVolume>> volumes_of(const AnswerStorage& storage, const std::vector<PlannedDisk>& disks) {
  const std::uint64_t room = group_size(disks, storage.raid1);
  const std::uint64_t fixed = 2 * storage.slot + storage.state;
  const std::uint64_t wanted = storage.pool_size == 0 ? least_pool : storage.pool_size;
  const std::uint64_t needed = fixed + wanted + 2 * pool_metadata(wanted);
  if (room < needed) {
    return fail(ErrorCode::bad_input,
                fmt::format("the disk {} is {} too small", disk_text(disks.front().disk), size_text(needed - room)),
                "take a larger disk, or ask for less in [storage]");
  }
  const std::uint64_t pool = storage.pool_size == 0 ? pool_of(room - fixed) : storage.pool_size;
  return std::vector<PlannedVolume>{
      {.name = "slot-a", .size = storage.slot, .what = "the system, first slot"},
      {.name = "slot-b", .size = storage.slot, .what = "the system, second slot"},
      {.name = "state", .size = storage.state, .what = "the host's own /etc and /var/lib, ext4"},
      {.name = storage.pool,
       .size = pool,
       .what = fmt::format("thin pool, {} of metadata", size_text(pool_metadata(pool))),
       .metadata = pool_metadata(pool)}};
}

Result<void> check_cards(const Answer& answer, const Inventory& inventory) {
  std::vector<std::string> known;
  known.reserve(inventory.cards.size());
  for (const InventoryCard& card : inventory.cards) {
    known.push_back(canonical_mac(card.mac).value_or(card.mac));
  }
  for (const AnswerNetwork& network : answer.networks) {
    for (const std::string& mac : network.macs) {
      if (std::ranges::find(known, canonical_mac(mac).value_or(mac)) == known.end()) {
        return fail(ErrorCode::bad_input,
                    fmt::format("no network card has the MAC {} of the bridge '{}'", mac, network.name),
                    known.empty() ? "this machine has no network card" : "there are: " + join(known, ", "));
      }
    }
    if (network.macs.empty() && inventory.cards.size() != 1) {
      return fail(
          ErrorCode::bad_input,
          fmt::format("the bridge '{}' names no network card, and there are {}", network.name, inventory.cards.size()),
          known.empty() ? "" : "name one in 'macs': " + join(known, ", "));
    }
  }
  return {};
}

}  // namespace

Result<InstallPlan> plan_install(const Answer& answer, const Inventory& inventory) {
  const auto chosen = TRY(choose_disks(answer.storage.disks, inventory));
  TRY(check_cards(answer, inventory));
  InstallPlan plan{.host = answer.host.name,
                   .uefi = inventory.uefi,
                   .disks = {},
                   .array = answer.storage.raid1 ? "/dev/md/domsmith" : "",
                   .volume_group = answer.storage.volume_group,
                   .volumes = {},
                   .networks = answer.networks,
                   .firmware = {}};
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const bool may_erase = answer.storage.wipe == WipePolicy::named && answer.storage.disks[i].names_it();
    TRY(check_may_take(chosen[i], may_erase || chosen[i].unfinished));
  }
  TRY(check_others_are_whole(chosen, inventory));
  for (const InventoryDisk& disk : chosen) {
    plan.disks.push_back(
        {.disk = disk, .erase = erase_steps(disk), .partitions = partitions_of(disk, answer.storage.raid1)});
    if (plan.uefi) {
      plan.firmware.push_back(plan.disks.size() == 1 ? "domsmith"
                                                     : fmt::format("domsmith (disk {})", plan.disks.size()));
    }
  }
  plan.volumes = TRY(volumes_of(answer.storage, plan.disks));
  if (plan.networks.empty()) {
    AnswerNetwork usual;
    usual.name = "xenbr0";
    plan.networks.push_back(std::move(usual));
  }
  return plan;
}

}  // namespace domsmith
