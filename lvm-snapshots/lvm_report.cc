#include "lvm-snapshots/lvm_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/text.h"

namespace domsmith {

namespace {

using nlohmann::json;

std::string text_of(const json& row, const char* field) {
  const auto it = row.find(field);
  return it != row.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::uint64_t number_of(const json& row, const char* field) {
  const std::string text = text_of(row, field);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> percent_of(const json& row, const char* field) {
  const std::string text = text_of(row, field);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() ? std::optional(value) : std::nullopt;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (list.substr(0, comma) == word) {
      return true;
    }
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

std::optional<VolumeKind> kind_of(const std::string& name, std::string_view tags) {
  if (!check_name("volume name", name)) {
    return std::nullopt;
  }
  if (has_word(tags, lvm_tag::golden)) {
    return VolumeKind::golden;
  }
  if (has_word(tags, lvm_tag::clone)) {
    return VolumeKind::clone;
  }
  return has_word(tags, lvm_tag::staging) ? std::optional(VolumeKind::staging) : std::nullopt;
}

LvmVolume volume_of(const json& row) {
  LvmVolume volume;
  volume.lv = text_of(row, "lv_name");
  volume.allocated = number_of(row, "lv_size");
  volume.size = volume.allocated;
  if (has_word(text_of(row, "lv_role"), "snapshot") && text_of(row, "pool_lv").empty()) {
    volume.size = number_of(row, "origin_size");  // a classic snapshot's lv_size is that of its exception store
  }
  describe_by_tags(volume, text_of(row, "lv_tags"));
  volume.active = text_of(row, "lv_active") == "active";
  volume.open = text_of(row, "lv_device_open") == "open";
  const std::string layout = text_of(row, "lv_layout");
  volume.thin_pool = has_word(layout, "thin") && has_word(layout, "pool");
  volume.zeroes = text_of(row, "zero") == "zero";
  volume.pool = text_of(row, "pool_lv");
  volume.origin = text_of(row, "origin");
  volume.metadata_size = number_of(row, "lv_metadata_size");
  volume.data_percent = percent_of(row, "data_percent");
  volume.metadata_percent = percent_of(row, "metadata_percent");
  return volume;
}

void read_group(const json& row, LvmGroup& group) {
  group.name = text_of(row, "vg_name");
  group.size = number_of(row, "vg_size");
  group.free = number_of(row, "vg_free");
  group.metadata_free = number_of(row, "vg_mda_free");
  for (const char* field : {"vg_shared", "vg_clustered", "vg_exported", "vg_partial"}) {
    if (const std::string word = text_of(row, field); !word.empty()) {
      group.peculiarity = word;
    }
  }
  if (text_of(row, "vg_permissions") == "read-only") {
    group.peculiarity = "read-only";
  }
}

constexpr std::string_view group_fields =
    "vg_name,vg_size,vg_free,vg_mda_free,vg_shared,vg_clustered,vg_exported,vg_partial,vg_permissions";
// No field of segments is among them: LVM would give a row for each segment.
constexpr std::string_view volume_fields =
    "lv_name,lv_size,origin_size,lv_role,lv_tags,lv_active,lv_device_open,lv_layout,pool_lv,origin,data_percent,"
    "metadata_percent,lv_metadata_size,zero";

LvmCommand report(std::string_view verb, std::string_view group, const std::string& fields) {
  return {std::string(verb), "--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields, std::string(group)};
}

}  // namespace

const LvmVolume* LvmGroup::find(std::string_view wanted) const {
  const auto it = std::ranges::lower_bound(volumes, wanted, {}, &LvmVolume::name);
  return it != volumes.end() && it->name == wanted ? &*it : nullptr;
}

void describe_by_tags(LvmVolume& volume, std::string_view tags) {
  volume.name = volume.lv;
  volume.ours = has_word(tags, lvm_tag::ours);
  if (volume.ours && volume.lv.ends_with(suffix_fresh) && has_word(tags, lvm_tag::clone)) {
    volume.fresh = true;
    volume.name.resize(volume.lv.size() - suffix_fresh.size());
  }
  if (volume.ours && volume.lv.ends_with(suffix_staging) && has_word(tags, lvm_tag::staging)) {
    volume.name.resize(volume.lv.size() - suffix_staging.size());
  }
  volume.kind = volume.ours ? kind_of(volume.name, tags) : std::nullopt;
}

// Their places are sorted, and then each is moved once: a volume is long.
void sort_volumes(LvmGroup& group) {
  std::vector<LvmVolume*> order(group.volumes.size());
  std::ranges::transform(group.volumes, order.begin(), [](LvmVolume& volume) { return &volume; });
  std::ranges::sort(order, {},
                    [](const LvmVolume* volume) { return std::tuple(std::string_view(volume->name), !volume->ours); });
  std::vector<LvmVolume> sorted;
  sorted.reserve(order.size());
  for (LvmVolume* volume : order) {
    sorted.push_back(std::move(*volume));
  }
  group.volumes = std::move(sorted);
}

LvmCommand report_volumes_command(std::string_view group) {
  return report("lvs", group, fmt::format("{},{}", group_fields, volume_fields));
}

LvmCommand report_group_command(std::string_view group) { return report("vgs", group, std::string(group_fields)); }

Result<LvmGroup> parse_lvm_report(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("report") || !document["report"].is_array()) {
    return fail(ErrorCode::failed, "cannot read LVM's report");
  }
  LvmGroup group;
  for (const json& part : document["report"]) {
    for (const auto& [kind, rows] : part.items()) {
      for (const json& row : rows) {
        read_group(row, group);
        if (kind == "lv") {
          group.volumes.push_back(volume_of(row));
        }
      }
    }
  }
  sort_volumes(group);
  return group;
}

}  // namespace domsmith
