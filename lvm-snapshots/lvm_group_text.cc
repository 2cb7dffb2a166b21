// A volume group as its metadata text and the kernel tell it. Fields: lib/format_text/export.c of LVM2 2.03.16.
#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_report.h"
#include "lvm-snapshots/lvm_volume_text.h"

namespace domsmith {

namespace {

constexpr std::uint64_t extent_unit = 512;

std::uint64_t number_in(const LvmConfigNode& node, std::string_view key) { return node.number_of(key).value_or(0); }

// Whether all of the segment is understood: plain, thin, thin pool.
bool is_known(const LvmConfigNode& segment) {
  static constexpr std::array keys = {
      "start_extent", "extent_count", "type",     "tags", "thin_pool",       "transaction_id", "device_id", "origin",
      "stripe_count", "stripes",      "metadata", "pool", "zero_new_blocks", "discards",       "chunk_size"};
  static constexpr std::array types = {"striped", "thin", "thin-pool"};
  const std::string type = segment.text_of("type").value_or("");
  return std::ranges::find(types, type) != types.end() &&
         std::ranges::all_of(segment.children, [&](const LvmConfigNode& field) {
           return field.kind == LvmConfigNode::Kind::section ? type == "thin-pool"  // a message
                                                             : std::ranges::find(keys, field.key) != keys.end();
         });
}

std::vector<const LvmConfigNode*> segments_of(const LvmConfigNode& volume) {
  std::vector<const LvmConfigNode*> all;
  for (const LvmConfigNode& child : volume.children) {
    if (child.kind == LvmConfigNode::Kind::section) {
      all.push_back(&child);
    }
  }
  return all;
}

std::uint64_t extents_of(const LvmConfigNode& volume) {
  std::uint64_t extents = 0;
  for (const LvmConfigNode* segment : segments_of(volume)) {
    extents += number_in(*segment, "extent_count");
  }
  return extents;
}

// Of a plain segment, extents on physical volumes. nullopt: it stands on other volumes.
std::optional<std::uint64_t> allocated(const LvmConfigNode& segment, const LvmConfigNode& disks) {
  const LvmConfigNode* stripes = segment.find("stripes");
  if (stripes == nullptr) {
    return segment.text_of("type") == "striped" ? std::nullopt : std::optional<std::uint64_t>(0);
  }
  for (const LvmConfigValue& value : stripes->values) {
    if (value.quoted && disks.find(value.text) == nullptr) {
      return std::nullopt;
    }
  }
  return number_in(segment, "extent_count");
}

// What LVM has to judge itself: it may refuse such a group altogether.
bool is_peculiar(const LvmConfigNode& vg, const LvmConfigNode& disks) {
  return vg.text_of("lock_type").value_or("none") != "none" || !vg.text_of("system_id").value_or("").empty() ||
         vg.find("historical_logical_volumes") != nullptr || !vg.lists("status", "WRITE") ||
         vg.lists("status", "SHARED") || vg.lists("status", "CLUSTERED") || vg.lists("status", "EXPORTED") ||
         std::ranges::any_of(disks.children, [](const LvmConfigNode& disk) {
           return disk.lists("status", "MISSING") || disk.lists("flags", "MISSING");
         });
}

std::string tags_of(const LvmConfigNode& volume) {
  std::vector<std::string> tags;
  if (const LvmConfigNode* list = volume.find("tags")) {
    std::ranges::transform(list->values, std::back_inserter(tags), &LvmConfigValue::text);
  }
  return join(tags, ",");
}

// "a", "b" -> a,b
std::string tags_of(const LvmThinVolume& volume) {
  std::string tags(volume.tags);
  std::erase_if(tags, [](char c) { return c == '"' || c == ' '; });
  return tags;
}

class Group {
 public:
  Group(const LvmConfigNode& vg, const LvmConfigNode& disks, const std::vector<LvmVolumeText>& volumes)
      : disks_(&disks), volumes_(&volumes), extent_(number_in(vg, "extent_size") * extent_unit) {}

  // false: something in it is not understood.
  bool fill(LvmGroup& group) const {
    std::uint64_t all = 0;
    std::uint64_t taken = 0;
    for (const LvmConfigNode& disk : disks_->children) {
      all += number_in(disk, "pe_count");
    }
    group.volumes.reserve(volumes_->size());
    for (const LvmVolumeText& volume : *volumes_) {
      if (const LvmThinVolume* thin = volume.thin()) {
        if (thin->visible) {
          group.volumes.push_back(read(volume.name, *thin));
        }
        continue;
      }
      for (const LvmConfigNode* segment : segments_of(volume.node())) {
        const auto extents = is_known(*segment) ? allocated(*segment, *disks_) : std::nullopt;
        if (!extents) {
          return false;
        }
        taken += *extents;
      }
      if (volume.node().lists("status", "VISIBLE")) {
        group.volumes.push_back(read(volume.node()));
      }
    }
    group.size = all * extent_;
    group.free = taken > all ? 0 : (all - taken) * extent_;
    sort_volumes(group);
    return true;
  }

 private:
  LvmVolume read(const std::string& name, const LvmThinVolume& thin) const {
    LvmVolume volume;
    volume.lv = name;
    describe_by_tags(volume, tags_of(thin));
    volume.size = volume.allocated = thin.extents * extent_;
    volume.pool = thin.pool;
    volume.origin = thin.origin;
    return volume;
  }

  LvmVolume read(const LvmConfigNode& node) const {
    LvmVolume volume;
    volume.lv = node.key;
    describe_by_tags(volume, tags_of(node));
    volume.size = volume.allocated = extents_of(node) * extent_;
    if (const LvmConfigNode* segment = node.find("segment1")) {
      volume.thin_pool = segment->text_of("type") == "thin-pool";
      volume.zeroes = number_in(*segment, "zero_new_blocks") == 1;
      volume.pool = segment->text_of("thin_pool").value_or("");
      volume.origin = segment->text_of("origin").value_or("");
      if (const auto metadata = segment->text_of("metadata")) {
        const auto there = std::ranges::find(*volumes_, *metadata, &LvmVolumeText::name);
        volume.metadata_size = there == volumes_->end() ? 0 : extents_of(there->node()) * extent_;
      }
    }
    return volume;
  }

  const LvmConfigNode* disks_;
  const std::vector<LvmVolumeText>* volumes_;
  std::uint64_t extent_;
};

}  // namespace

Result<std::optional<LvmGroup>> group_of_text(const LvmGroupText& text, const std::string& group) {
  return group_of_parts(TRY(take_apart(text.text, group)), text.area_free, group);
}

std::optional<LvmGroup> group_of_parts(const LvmTakenApart& parts, std::uint64_t area_free, const std::string& group) {
  const LvmConfigNode* vg = parts.frame.find(group);
  const LvmConfigNode* disks = vg->find("physical_volumes");
  if (disks == nullptr || is_peculiar(*vg, *disks)) {
    return std::optional<LvmGroup>();
  }
  LvmGroup found;
  found.name = group;
  found.metadata_free = area_free;
  if (!Group(*vg, *disks, parts.volumes).fill(found)) {
    return std::optional<LvmGroup>();
  }
  return found;
}

void add_mapped(LvmGroup& group, const LvmMappedVolumes& mapped) {
  for (LvmVolume& volume : group.volumes) {
    if (const auto there = mapped.find(volume.lv); there != mapped.end()) {
      volume.active = true;
      volume.open = there->second.open;
      volume.data_percent = there->second.data_percent;
      volume.metadata_percent = there->second.metadata_percent;
    }
  }
}

}  // namespace domsmith
