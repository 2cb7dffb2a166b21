#include "lvm-snapshots/lvm_metadata.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <chrono>

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
  LvmMetadata metadata;
  metadata.root_ = TRY(parse_lvm_config(text, fmt::format("metadata of VG {}", group)));
  metadata.group_ = group;
  metadata.pool_ = pool;
  const LvmConfigNode* found = metadata.root_.find(group);
  if (found == nullptr || !found->number_of("seqno") || found->text_of("id").value_or("").size() != 38) {
    return no_metadata(group, "there is no such group in it");
  }
  if (found->find("logical_volumes") == nullptr) {
    return no_metadata(group, "it has no volumes");
  }
  metadata.reindex();
  const LvmConfigNode* there = metadata.volume(pool);
  const LvmConfigNode* segment = there == nullptr ? nullptr : there->find("segment1");
  if (segment == nullptr || !segment->number_of("transaction_id") ||
      !segment->text_of("type").value_or("").starts_with("thin-pool")) {
    return no_metadata(group, fmt::format("it has no thin pool '{}'", pool));
  }
  return metadata;
}

void LvmMetadata::reindex() {
  index_.clear();
  const std::vector<LvmConfigNode>& all = volumes().children;
  for (std::size_t i = 0; i < all.size(); ++i) {
    index_.emplace(all[i].key, i);
  }
}

const LvmConfigNode& LvmMetadata::group() const { return *root_.find(group_); }
LvmConfigNode& LvmMetadata::volumes() { return *root_.find(group_)->find("logical_volumes"); }

const LvmConfigNode* LvmMetadata::volume(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &group().find("logical_volumes")->children[it->second];
}

const LvmConfigNode& LvmMetadata::pool_segment() const { return *volume(pool_)->find("segment1"); }

bool LvmMetadata::in_pool(const LvmConfigNode& segment) const {
  return segment.text_of("type") == "thin" && segment.text_of("thin_pool") == pool_;
}

std::uint64_t LvmMetadata::seqno() const { return group().number_of("seqno").value_or(0); }
std::string LvmMetadata::group_id() const { return group().text_of("id").value_or(""); }
std::string LvmMetadata::pool_id() const { return volume(pool_)->text_of("id").value_or(""); }
std::uint64_t LvmMetadata::transaction_id() const { return pool_segment().number_of("transaction_id").value_or(0); }

// lib/activate/dev_manager.c and lib/uuid: prefix, both ids without dashes, the layer of a pool that has thin volumes.
std::string LvmMetadata::pool_device_uuid() const {
  return fmt::format("LVM-{}{}-tpool", without_dashes(group_id()), without_dashes(pool_id()));
}

std::string LvmMetadata::device_uuid(std::string_view name) const {
  return fmt::format("LVM-{}{}", without_dashes(group_id()), without_dashes(id_of(name)));
}

std::uint64_t LvmMetadata::sectors_of(std::string_view name) const {
  const LvmConfigNode* there = volume(name);
  const LvmConfigNode* segment = there == nullptr ? nullptr : there->find("segment1");
  return segment == nullptr
             ? 0
             : segment->number_of("extent_count").value_or(0) * group().number_of("extent_size").value_or(0);
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
  const LvmConfigNode* there = volume(name);
  const LvmConfigNode* segment = there == nullptr ? nullptr : there->find("segment1");
  if (segment == nullptr || there->number_of("segment_count") != 1 || !in_pool(*segment) || device_in(*segment) == 0) {
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
  const LvmConfigNode* there = volume(name);
  return there == nullptr ? "" : there->text_of("id").value_or("");
}

std::string LvmMetadata::origin_of(std::string_view name) const {
  const LvmConfigNode* there = volume(name);
  const LvmConfigNode* segment = there == nullptr ? nullptr : there->find("segment1");
  return segment == nullptr ? "" : segment->text_of("origin").value_or("");
}

std::set<ThinDeviceId> LvmMetadata::devices() const {
  std::set<ThinDeviceId> ids;
  for (const LvmConfigNode& one : group().find("logical_volumes")->children) {
    for (const LvmConfigNode& segment : one.children) {
      if (segment.kind == LvmConfigNode::Kind::section && in_pool(segment)) {
        ids.insert(device_in(segment));
      }
    }
  }
  return ids;
}

std::string LvmMetadata::outsider_using(const std::set<std::string, std::less<>>& names) const {
  for (const LvmConfigNode& one : group().find("logical_volumes")->children) {
    if (!names.contains(one.key) && std::ranges::any_of(one.children, [&](const LvmConfigNode& child) {
          return child.kind == LvmConfigNode::Kind::section && mentions(child, names);
        })) {
      return one.key;
    }
  }
  return {};
}

void LvmMetadata::add_clone(const std::string& name, const std::string& origin, ThinDeviceId device,
                            const LvmStamp& stamp, std::string_view id) {
  using Node = LvmConfigNode;
  const std::uint64_t extents = volume(origin)->find("segment1")->number_of("extent_count").value_or(0);
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
  std::vector<Node>& all = volumes().children;
  std::size_t at = all.size();
  for (; at > 0 && !all[at - 1].lists("status", "VISIBLE"); --at) {
    ++index_.find(all[at - 1].key)->second;
  }
  index_.emplace(name, at);
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(at), std::move(clone));
}

void LvmMetadata::set_device(std::string_view name, ThinDeviceId device, const LvmStamp& stamp) {
  LvmConfigNode& there = volumes().children[index_.find(name)->second];
  LvmConfigNode& segment = *there.find("segment1");
  const std::uint64_t transaction = transaction_id();
  set_number(segment, "device_id", device);
  set_number(segment, "transaction_id", transaction);
  set_number(there, "creation_time", stamp.time);
  if (LvmConfigNode* host = there.find("creation_host")) {
    *host = LvmConfigNode::text("creation_host", stamp.host);
  }
}

void LvmMetadata::remove(const std::set<std::string, std::less<>>& names) {
  std::erase_if(volumes().children, [&](const LvmConfigNode& one) { return names.contains(one.key); });
  reindex();
}

void LvmMetadata::rename(std::span<const std::pair<std::string, std::string>> all) {
  for (const auto& [from, to] : all) {
    volumes().children[index_.find(from)->second].key = to;
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
  LvmConfigNode& segment = *volumes().children[index_.find(pool_)->second].find("segment1");
  std::erase_if(segment.children,
                [](const LvmConfigNode& child) { return child.kind == LvmConfigNode::Kind::section; });
}

void LvmMetadata::begin_step(ThinDeviceId deleted) {
  LvmConfigNode& segment = *volumes().children[index_.find(pool_)->second].find("segment1");
  set_number(segment, "transaction_id", transaction_id() + 1);
  LvmConfigNode message = LvmConfigNode::section("message1");
  message.children.push_back(LvmConfigNode::number("delete", deleted));
  segment.children.push_back(std::move(message));
}

std::string LvmMetadata::flaw() const {
  std::set<std::string, std::less<>> ids;
  std::set<ThinDeviceId> numbers;
  const std::vector<LvmConfigNode>& all = group().find("logical_volumes")->children;
  if (index_.size() != all.size()) {
    return "two volumes have the same name";
  }
  for (const LvmConfigNode& one : all) {
    if (!ids.insert(one.text_of("id").value_or("")).second) {
      return fmt::format("'{}' has another volume's identifier, or none", one.key);
    }
    for (const LvmConfigNode& segment : one.children) {
      if (segment.kind != LvmConfigNode::Kind::section || segment.text_of("type") != "thin") {
        continue;
      }
      const auto origin = segment.text_of("origin");
      if (!has(segment.text_of("thin_pool").value_or("")) || (origin && !has(*origin))) {
        return fmt::format("'{}' has a pool or an origin that is not there", one.key);
      }
      if (in_pool(segment) && !numbers.insert(device_in(segment)).second) {
        return fmt::format("'{}' has another volume's device", one.key);
      }
    }
  }
  return {};
}

void LvmMetadata::set_seqno(std::uint64_t number) { set_number(*root_.find(group_), "seqno", number); }

void LvmMetadata::sign(const std::string& description, const LvmStamp& stamp) {
  for (LvmConfigNode& node : root_.children) {
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
