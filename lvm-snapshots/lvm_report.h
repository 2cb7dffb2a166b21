// What LVM reports of a volume group (lvs --reportformat json; lvmreport(7)), as values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_library.h"
#include "lvm-snapshots/lvm_volume_text.h"
#include "lvm-snapshots/store.h"

namespace domsmith {

// Tags tell which LVs are ours, and what they are. LVs without the first are never listed nor touched.
namespace lvm_tag {
inline constexpr std::string_view ours = "domsmith";
inline constexpr std::string_view staging = "domsmith.staging";
inline constexpr std::string_view golden = "domsmith.golden";
inline constexpr std::string_view clone = "domsmith.clone";
}  // namespace lvm_tag

// A dot cannot be in a volume's name, so these are never taken for one.
inline constexpr std::string_view suffix_new = ".new";          // a volume that is not zeroed yet
inline constexpr std::string_view suffix_staging = ".staging";  // one that is being written: NAME's device is not there
inline constexpr std::string_view suffix_fresh = ".fresh";  // a thin clone before settle(): NAME's device is not there
inline constexpr std::string_view suffix_reset = ".reset";  // a fresh snapshot that is to take the place of NAME

struct LvmVolume {
  std::string name;  // the store's
  std::string lv;    // LVM's: the same, NAME.fresh or NAME.staging
  bool fresh = false;
  std::uint64_t size = 0;       // as a guest sees it
  std::uint64_t allocated = 0;  // of a classic snapshot: the room for what differs; otherwise as size
  bool ours = false;
  std::optional<VolumeKind> kind;  // nullopt: not ours, or half-made
  bool active = false;
  bool open = false;  // the kernel counts an opener
  bool thin_pool = false;
  bool zeroes = false;  // of pools: what was never written reads as zeroes, whoever had the chunk before
  std::string pool;
  std::string origin;
  std::uint64_t metadata_size = 0;         // of pools: bytes
  std::optional<double> data_percent;      // of active thin volumes and pools
  std::optional<double> metadata_percent;  // of active pools
};

struct LvmGroup {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t free = 0;
  std::uint64_t metadata_free = 0;  // of its metadata areas, bytes for further text
  std::string peculiarity;          // "shared", "clustered", "exported", "partial" or "read-only": no batch there
  std::vector<LvmVolume> volumes;   // sorted by name; of two with one name (NAME.fresh and somebody's NAME) ours first

  [[nodiscard]] const LvmVolume* find(std::string_view name) const;  // by the store's name
};

LvmCommand report_volumes_command(std::string_view group);  // a row for each LV, none where there is none
LvmCommand report_group_command(std::string_view group);

Result<LvmGroup> parse_lvm_report(std::string_view json);

// What the kernel has of a volume that is active.
struct LvmMapped {
  bool open = false;
  std::optional<double> data_percent;      // of thin volumes and pools
  std::optional<double> metadata_percent;  // of pools
};
using LvmMappedVolumes = std::map<std::string, LvmMapped, std::less<>>;  // by LVM's name

// The same as LVM's report, out of the group's metadata text (lvm_disk.h), as if nothing were active. nullopt: there is
// something in the group that only LVM can tell about (volumes that are neither plain nor thin, a missing disk,
// anything unknown).
std::optional<LvmGroup> group_of_parts(const LvmTakenApart& parts, std::uint64_t area_free, const std::string& group);
Result<std::optional<LvmGroup>> group_of_text(const LvmGroupText& text, const std::string& group);
void add_mapped(LvmGroup& group, const LvmMappedVolumes& mapped);
// With the store's name, its kind and what else the tags tell; `tags` with commas between.
void describe_by_tags(LvmVolume& volume, std::string_view tags);
void sort_volumes(LvmGroup& group);

}  // namespace domsmith
