#include "lvm-snapshots/lvm_metadata.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_set>

#include "base/clock.h"
#include "base/crypto.h"
#include "lvm-snapshots/lvm_report.h"

namespace domsmith {

namespace {

std::unexpected<Error> no_metadata(const std::string& group, std::string_view what) {
  return fail(ErrorCode::bad_input, fmt::format("cannot read the metadata of VG {}: {}", group, what));
}

ThinDeviceId device_in(const LvmConfigNode& segment) {
  return static_cast<ThinDeviceId>(segment.number_of("device_id").value_or(0));
}

// Every text below a node, in settings and lists.
bool mentions(const LvmConfigNode& node, const std::set<std::string, std::less<>>& names) {
  return std::ranges::any_of(node.values,
                             [&](const LvmConfigValue& value) { return value.quoted && names.contains(value.text); }) ||
         std::ranges::any_of(node.children, [&](const LvmConfigNode& child) { return mentions(child, names); });
}

bool is_visible(const LvmVolumeText& volume) {
  return volume.thin() != nullptr ? volume.thin()->visible : volume.node().lists("status", "VISIBLE");
}

// Empty: it has none.
std::string_view identifier(const LvmVolumeText& volume) {
  if (volume.thin() != nullptr) {
    return volume.thin()->id;
  }
  const LvmConfigNode* id = volume.node().find("id");
  return id != nullptr && id->kind == LvmConfigNode::Kind::value ? std::string_view(id->values.front().text) : "";
}

void set_number(LvmConfigNode& section, std::string_view key, std::uint64_t value) {
  if (LvmConfigNode* there = section.find(key)) {
    *there = LvmConfigNode::number(std::string(key), value);
  }
}

}  // namespace

LvmStamp stamp_now() {
  utsname host{};
  (void)::uname(&host);
  const auto now = system_clock().now().time_since_epoch();
  return {static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()), host.nodename};
}

Result<LvmMetadata> LvmMetadata::parse(std::string_view text, const std::string& group, const std::string& pool) {
  return of(TRY(take_apart(text, group)), group, pool);
}

Result<LvmMetadata> LvmMetadata::of(LvmTakenApart parts, const std::string& group, const std::string& pool) {
  LvmMetadata metadata;
  metadata.parts_ = std::move(parts);
  metadata.group_ = group;
  metadata.pool_ = pool;
  const LvmConfigNode* found = metadata.parts_.frame.find(group);
  if (found == nullptr || !found->number_of("seqno") || found->text_of("id").value_or("").size() != 38) {
    return no_metadata(group, "there is no such group in it");
  }
  if (found->find("logical_volumes") == nullptr) {
    return no_metadata(group, "it has no volumes");
  }
  metadata.reindex();
  const LvmVolumeText* there = metadata.volume(pool);
  const LvmConfigNode* segment = there == nullptr ? nullptr : there->node().find("segment1");
  if (segment == nullptr || !segment->number_of("transaction_id") ||
      !segment->text_of("type").value_or("").starts_with("thin-pool")) {
    return no_metadata(group, fmt::format("it has no thin pool '{}'", pool));
  }
  return metadata;
}

void LvmMetadata::reindex() {
  index_.clear();
  for (std::size_t i = 0; i < parts_.volumes.size(); ++i) {
    index_.emplace(parts_.volumes[i].name, i);
  }
}

const LvmConfigNode& LvmMetadata::group() const { return *parts_.frame.find(group_); }

const LvmVolumeText* LvmMetadata::volume(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &parts_.volumes[it->second];
}

LvmVolumeText& LvmMetadata::volume_at(std::string_view name) { return parts_.volumes[index_.find(name)->second]; }

const LvmConfigNode& LvmMetadata::pool_segment() const { return *volume(pool_)->node().find("segment1"); }

template <class Change>
void LvmMetadata::change_pool(Change&& change) {
  LvmConfigNode pool = volume(pool_)->node();
  change(*pool.find("segment1"));
  volume_at(pool_) = LvmVolumeText(std::move(pool));
}

bool LvmMetadata::in_pool(const LvmConfigNode& segment) const {
  return segment.text_of("type") == "thin" && segment.text_of("thin_pool") == pool_;
}

std::uint64_t LvmMetadata::seqno() const { return group().number_of("seqno").value_or(0); }
std::string LvmMetadata::group_id() const { return group().text_of("id").value_or(""); }
std::string LvmMetadata::pool_id() const { return id_of(pool_); }
std::uint64_t LvmMetadata::transaction_id() const { return pool_segment().number_of("transaction_id").value_or(0); }

// lib/activate/dev_manager.c and lib/uuid: prefix, both ids without dashes, the layer of a pool that has thin volumes.
std::string LvmMetadata::pool_device_uuid() const {
  return fmt::format("LVM-{}{}-tpool", without_dashes(group_id()), without_dashes(pool_id()));
}

std::string LvmMetadata::device_uuid(std::string_view name) const {
  return fmt::format("LVM-{}{}", without_dashes(group_id()), without_dashes(id_of(name)));
}

std::uint64_t LvmMetadata::extents_of(std::string_view name) const {
  const LvmVolumeText* there = volume(name);
  if (there == nullptr || there->thin() != nullptr) {
    return there == nullptr ? 0 : there->thin()->extents;
  }
  const LvmConfigNode* segment = there->node().find("segment1");
  return segment == nullptr ? 0 : segment->number_of("extent_count").value_or(0);
}

std::uint64_t LvmMetadata::sectors_of(std::string_view name) const {
  return extents_of(name) * group().number_of("extent_size").value_or(0);
}

std::string LvmMetadata::pool_metadata_uuid() const {
  const std::string id = id_of(pool_segment().text_of("metadata").value_or(""));
  return fmt::format("LVM-{}{}-tmeta", without_dashes(group_id()), without_dashes(id));
}

std::optional<std::string> LvmMetadata::refusal() const {
  const LvmConfigNode& vg = group();
  if (vg.text_of("lock_type").value_or("none") != "none" || vg.lists("status", "SHARED")) {
    return "the volume group is shared (lvmlockd)";
  }
  if (vg.lists("status", "CLUSTERED")) {
    return "the volume group is clustered";
  }
  if (vg.lists("status", "EXPORTED")) {
    return "the volume group is exported";
  }
  if (!vg.lists("status", "WRITE")) {
    return "the volume group is read-only";
  }
  if (vg.find("historical_logical_volumes") != nullptr) {
    return "LVM keeps the history of removed volumes there";
  }
  const LvmConfigNode* disks = vg.find("physical_volumes");
  if (disks == nullptr || std::ranges::any_of(disks->children, [](const LvmConfigNode& disk) {
        return disk.lists("status", "MISSING") || disk.lists("flags", "MISSING");
      })) {
    return "the volume group lacks a disk";
  }
  if (!messages().empty()) {
    return "LVM has messages for the pool that it has not sent";
  }
  return std::nullopt;
}

std::optional<ThinDeviceId> LvmMetadata::device_of(std::string_view name) const {
  const LvmVolumeText* there = volume(name);
  if (there == nullptr) {
    return std::nullopt;
  }
  if (const LvmThinVolume* thin = there->thin()) {
    const auto device = static_cast<ThinDeviceId>(thin->device);
    return thin->pool == pool_ && device != 0 ? std::optional(device) : std::nullopt;
  }
  const LvmConfigNode& node = there->node();
  const LvmConfigNode* segment = node.find("segment1");
  if (segment == nullptr || node.number_of("segment_count") != 1 || !in_pool(*segment) || device_in(*segment) == 0) {
    return std::nullopt;
  }
  static constexpr std::array known = {"start_extent", "extent_count",   "type",      "tags",
                                       "thin_pool",    "transaction_id", "device_id", "origin"};
  for (const LvmConfigNode& field : segment->children) {
    if (std::ranges::find(known, field.key) == known.end()) {
      return std::nullopt;
    }
  }
  return device_in(*segment);
}

std::string LvmMetadata::id_of(std::string_view name) const {
  const LvmVolumeText* there = volume(name);
  return there == nullptr ? std::string() : std::string(identifier(*there));
}

std::string LvmMetadata::origin_of(std::string_view name) const {
  const LvmVolumeText* there = volume(name);
  if (there == nullptr || there->thin() != nullptr) {
    return there == nullptr ? std::string() : std::string(there->thin()->origin);
  }
  const LvmConfigNode* segment = there->node().find("segment1");
  return segment == nullptr ? "" : segment->text_of("origin").value_or("");
}

std::set<ThinDeviceId> LvmMetadata::devices() const {
  std::set<ThinDeviceId> ids;
  for (const LvmVolumeText& one : parts_.volumes) {
    if (const LvmThinVolume* thin = one.thin()) {
      if (thin->pool == pool_) {
        ids.insert(ids.end(), static_cast<ThinDeviceId>(thin->device));
      }
      continue;
    }
    for (const LvmConfigNode& segment : one.node().children) {
      if (segment.kind == LvmConfigNode::Kind::section && in_pool(segment)) {
        ids.insert(device_in(segment));
      }
    }
  }
  return ids;
}

std::string LvmMetadata::outsider_using(const std::set<std::string, std::less<>>& names) const {
  for (const LvmVolumeText& one : parts_.volumes) {
    const LvmThinVolume* thin = one.thin();
    const bool uses = thin != nullptr ? names.contains(thin->origin) || names.contains(thin->pool)
                                      : std::ranges::any_of(one.node().children, [&](const LvmConfigNode& child) {
                                          return child.kind == LvmConfigNode::Kind::section && mentions(child, names);
                                        });
    if (uses && !names.contains(one.name)) {
      return one.name;
    }
  }
  return {};
}

void LvmMetadata::add_clone(const std::string& name, const std::string& origin, ThinDeviceId device,
                            const LvmStamp& stamp, std::string_view id) {
  using Node = LvmConfigNode;
  const std::uint64_t extents = extents_of(origin);
  Node segment = Node::section("segment1");
  segment.children = {Node::number("start_extent", 0),
                      Node::number("extent_count", extents),
                      Node::text("type", "thin"),
                      Node::text("thin_pool", pool_),
                      Node::number("transaction_id", transaction_id()),
                      Node::number("device_id", device),
                      Node::text("origin", origin)};
  Node clone = Node::section(name);
  clone.children = {Node::text("id", std::string(id)),
                    Node::texts("status", {"READ", "WRITE", "VISIBLE"}),
                    Node::texts("flags", {"ACTIVATION_SKIP"}),
                    Node::texts("tags", {std::string(lvm_tag::ours), std::string(lvm_tag::clone)}),
                    Node::number("creation_time", stamp.time),
                    Node::text("creation_host", stamp.host),
                    Node::number("segment_count", 1),
                    std::move(segment)};
  // LVM has those that are not to be seen at the end; they are few.
  std::vector<LvmVolumeText>& all = parts_.volumes;
  std::size_t at = all.size();
  for (; at > 0 && !is_visible(all[at - 1]); --at) {
    ++index_.find(all[at - 1].name)->second;
  }
  index_.emplace(name, at);
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), LvmVolumeText(std::move(clone)));
}

void LvmMetadata::set_device(std::string_view name, ThinDeviceId device, const LvmStamp& stamp) {
  LvmVolumeText& there = volume_at(name);
  LvmConfigNode changed = there.node();
  changed.key = there.name;
  LvmConfigNode& segment = *changed.find("segment1");
  set_number(segment, "device_id", device);
  set_number(segment, "transaction_id", transaction_id());
  set_number(changed, "creation_time", stamp.time);
  if (LvmConfigNode* host = changed.find("creation_host")) {
    *host = LvmConfigNode::text("creation_host", stamp.host);
  }
  there = LvmVolumeText(std::move(changed));
}

void LvmMetadata::remove(const std::set<std::string, std::less<>>& names) {
  std::erase_if(parts_.volumes, [&](const LvmVolumeText& one) { return names.contains(one.name); });
  reindex();
}

void LvmMetadata::rename(std::span<const std::pair<std::string, std::string>> all) {
  for (const auto& [from, to] : all) {
    volume_at(from).name = to;
  }
  reindex();
}

std::vector<LvmMetadata::Message> LvmMetadata::messages() const {
  std::vector<Message> all;
  for (const LvmConfigNode& child : pool_segment().children) {
    if (child.kind != LvmConfigNode::Kind::section) {
      continue;
    }
    Message message;
    if (const auto created = child.text_of("create")) {
      message.create = true;
      message.device = device_of(*created).value_or(0);
      message.origin = device_of(origin_of(*created)).value_or(0);
    } else {
      message.device = static_cast<ThinDeviceId>(child.number_of("delete").value_or(0));
    }
    all.push_back(message);
  }
  return all;
}

void LvmMetadata::drop_messages() {
  change_pool([](LvmConfigNode& segment) {
    std::erase_if(segment.children,
                  [](const LvmConfigNode& child) { return child.kind == LvmConfigNode::Kind::section; });
  });
}

void LvmMetadata::begin_step(ThinDeviceId deleted) {
  change_pool([&](LvmConfigNode& segment) {
    set_number(segment, "transaction_id", transaction_id() + 1);
    LvmConfigNode message = LvmConfigNode::section("message1");
    message.children.push_back(LvmConfigNode::number("delete", deleted));
    segment.children.push_back(std::move(message));
  });
}

std::string LvmMetadata::flaw() const {
  std::unordered_set<std::string_view> ids;
  std::unordered_set<ThinDeviceId> numbers;
  ids.reserve(parts_.volumes.size());
  numbers.reserve(parts_.volumes.size());
  if (index_.size() != parts_.volumes.size()) {
    return "two volumes have the same name";
  }
  const auto reference_flaw = [&](const std::string& name, std::string_view pool, std::string_view origin,
                                  ThinDeviceId device) -> std::string {
    if (!has(pool) || (!origin.empty() && !has(origin))) {
      return fmt::format("'{}' has a pool or an origin that is not there", name);
    }
    if (pool == pool_ && !numbers.insert(device).second) {
      return fmt::format("'{}' has another volume's device", name);
    }
    return {};
  };
  for (const LvmVolumeText& one : parts_.volumes) {
    if (!ids.insert(identifier(one)).second) {
      return fmt::format("'{}' has another volume's identifier, or none", one.name);
    }
    if (const LvmThinVolume* thin = one.thin()) {
      const auto device = static_cast<ThinDeviceId>(thin->device);
      if (std::string wrong = reference_flaw(one.name, thin->pool, thin->origin, device); !wrong.empty()) {
        return wrong;
      }
      continue;
    }
    for (const LvmConfigNode& segment : one.node().children) {
      if (segment.kind != LvmConfigNode::Kind::section || segment.text_of("type") != "thin") {
        continue;
      }
      if (std::string wrong = reference_flaw(one.name, segment.text_of("thin_pool").value_or(""),
                                             segment.text_of("origin").value_or(""), device_in(segment));
          !wrong.empty()) {
        return wrong;
      }
    }
  }
  return {};
}

void LvmMetadata::set_seqno(std::uint64_t number) { set_number(*parts_.frame.find(group_), "seqno", number); }

void LvmMetadata::sign(const std::string& description, const LvmStamp& stamp) {
  for (LvmConfigNode& node : parts_.frame.children) {
    if (node.key == "description") {
      node = LvmConfigNode::text(node.key, description);
    } else if (node.key == "creation_host") {
      node = LvmConfigNode::text(node.key, stamp.host);
    } else if (node.key == "creation_time") {
      node = LvmConfigNode::number(node.key, stamp.time);
    }
  }
}

std::string new_lvm_id() {
  static constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static constexpr std::array groups = {6, 4, 4, 4, 4, 4, 6};
  std::string id;
  std::array<std::byte, 64> random{};  // asked for at once: a batch makes thousands of names
  std::size_t next = random.size();
  for (const int length : groups) {
    id += id.empty() ? "" : "-";
    for (int i = 0; i < length;) {
      if (next == random.size()) {
        system_random().fill(random);
        next = 0;
      }
      const auto number = std::to_integer<unsigned>(random[next++]);
      if (number < 4 * letters.size()) {  // each letter as likely as any other
        id += letters[number % letters.size()];
        ++i;
      }
    }
  }
  return id;
}

std::vector<ThinDeviceId> choose_device_ids(const std::set<ThinDeviceId>& used, std::size_t count) {
  std::vector<ThinDeviceId> chosen;
  ThinDeviceId next = 1;
  for (const ThinDeviceId taken : used) {
    for (; next < taken && chosen.size() < count; ++next) {
      chosen.push_back(next);
    }
    next = taken + 1;
  }
  for (next += device_id_gap; chosen.size() < count && next <= highest_device_id; ++next) {
    chosen.push_back(next);
  }
  return chosen;
}

}  // namespace domsmith
