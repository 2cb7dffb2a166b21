#include "tests/unit/stores/lvm_fake.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fail_point.h"
#include "base/file.h"
#include "base/text.h"

namespace domsmith::testing {

namespace {

constexpr std::string_view empty_group = R"(
contents = "Text Format Volume Group"
version = 1
vg0 {
  id = "aBcDeF-0001-0002-0003-0004-0005-000006"
  seqno = 7
  format = "lvm2"
  status = ["RESIZEABLE", "READ", "WRITE"]
  flags = []
  extent_size = 8192
  max_lv = 0
  max_pv = 0
  metadata_copies = 0
  physical_volumes {
    pv0 {
      id = "aBcDeF-1001-1002-1003-1004-1005-100006"
      device = "/dev/vda"
      status = ["ALLOCATABLE"]
      flags = []
      dev_size = 41943040
      pe_start = 2048
      pe_count = 5119
    }
  }
  logical_volumes {
    pool {
      id = "aBcDeF-2001-2002-2003-2004-2005-200006"
      status = ["READ", "WRITE", "VISIBLE"]
      flags = []
      segment_count = 1
      segment1 {
        start_extent = 0
        extent_count = 512
        type = "thin-pool"
        metadata = "pool_tmeta"
        pool = "pool_tdata"
        transaction_id = 1
        chunk_size = 128
        discards = "passdown"
        zero_new_blocks = 1
      }
    }
    gold {
      id = "aBcDeF-3001-3002-3003-3004-3005-300006"
      status = ["READ", "VISIBLE"]
      flags = ["ACTIVATION_SKIP"]
      tags = ["domsmith", "domsmith.golden"]
      segment_count = 1
      segment1 {
        start_extent = 0
        extent_count = 256
        type = "thin"
        thin_pool = "pool"
        transaction_id = 0
        device_id = 1
      }
    }
  }
}
)";

LvmConfigNode& group_in(LvmConfigNode& root) { return *root.find("vg0"); }

LvmConfigNode& pool_segment_in(LvmConfigNode& root) {
  return *group_in(root).find("logical_volumes")->find("pool")->find("segment1");
}

LvmConfigNode tree_of(const std::string& text) { return parse_lvm_config(text, "fake").value(); }

}  // namespace

LvmFake::LvmFake(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (!std::filesystem::exists(folder_ / "metadata")) {
    EXPECT_TRUE(ok(write_file_atomic(folder_ / "metadata", empty_group)));
    EXPECT_TRUE(ok(save({1, 0, false, {{1, "gold"}}})));
  }
}

Result<std::shared_ptr<void>> LvmFake::lock() {
  return std::make_shared<FileLock>(TRY(FileLock::try_acquire(folder_ / "lock")));  // held twice: a mistake of ours
}

Result<LvmTakenApart> LvmFake::read_metadata() { return take_apart(TRY(read_file(folder_ / "metadata")), "vg0"); }
Result<std::vector<std::string>> LvmFake::mapped_names() { return mapped; }

Result<void> LvmFake::write_metadata(const std::string& text, std::uint64_t seqno) {
  if (metadata().seqno() != seqno) {
    return fail(ErrorCode::busy, "VG vg0 was changed by somebody who does not keep LVM's lock");
  }
  LvmConfigNode root = TRY(parse_lvm_config(text, "written"));
  *group_in(root).find("seqno") = LvmConfigNode::number("seqno", seqno + 1);
  TRY(fail_point("fake.write.before"));
  TRY(write_file_atomic(folder_ / "metadata", lvm_config_text(root)));
  return fail_point("fake.write.after");
}

LvmMetadata LvmFake::metadata() const {
  return LvmMetadata::parse(read_file(folder_ / "metadata").value(), "vg0", "pool").value();
}

LvmFake::Pool LvmFake::load() const {
  const auto json = nlohmann::json::parse(read_file(folder_ / "pool").value());
  return {json["transaction"], json["made"], json["held"], json["devices"].get<std::map<ThinDeviceId, std::string>>()};
}

Result<void> LvmFake::save(const Pool& pool) const {
  return write_file_atomic(
      folder_ / "pool",
      nlohmann::json{
          {"transaction", pool.transaction}, {"made", pool.made}, {"held", pool.held}, {"devices", pool.devices}}
          .dump());
}

Result<std::optional<ThinPoolState>> LvmFake::pool_state(const std::string&) {
  return active ? std::optional(ThinPoolState{load().transaction, ""}) : std::nullopt;
}

Result<bool> LvmFake::add(std::uint32_t device, const std::string& from) {
  Pool pool = load();
  if (pool.devices.contains(device)) {
    return false;
  }
  pool.devices[device] = fmt::format("{} {}", from, ++pool.made);
  TRY(save(pool));
  return true;
}

Result<bool> LvmFake::create_snapshot(const std::string&, std::uint32_t device, std::uint32_t origin) {
  const Pool pool = load();
  if (!pool.devices.contains(origin)) {
    return fail(ErrorCode::failed, fmt::format("no origin {}", origin));
  }
  return add(device, pool.devices.at(origin));
}

Result<bool> LvmFake::create_device(const std::string&, std::uint32_t device) { return add(device, "empty"); }

Result<bool> LvmFake::delete_device(const std::string&, std::uint32_t device) {
  Pool pool = load();
  if (pool.devices.erase(device) == 0) {
    return false;
  }
  TRY(save(pool));
  return true;
}

Result<std::set<std::uint32_t>> LvmFake::devices(const std::string&, const std::string&) {
  Pool pool = load();
  if (pool.held) {
    return fail(ErrorCode::busy, "held twice");
  }
  pool.held = true;
  TRY(save(pool));
  TRY(fail_point("fake.held"));
  TRY(release(""));
  return device_ids();
}

Result<std::vector<std::uint64_t>> LvmFake::differences(const std::string&, const std::string&, DevicePairs pairs) {
  std::vector<std::uint64_t> all;
  for (const auto& [origin, device] : pairs) {
    all.push_back(65536 * static_cast<std::uint64_t>(device - origin));  // something that each pair has of its own
  }
  return all;
}

Result<void> LvmFake::release(const std::string&) {
  Pool pool = load();
  pool.held = false;
  return save(pool);
}

Result<void> LvmFake::set_transaction(const std::string&, std::uint64_t from, std::uint64_t to) {
  Pool pool = load();
  if (pool.transaction != from) {
    return fail(ErrorCode::failed, fmt::format("the pool is at {}, not at {}", pool.transaction, from));
  }
  pool.transaction = to;
  return save(pool);
}

Result<void> LvmFake::native(LvmMetadata changed, const LvmConfigNode& message) {
  const std::uint64_t before = changed.transaction_id();
  const bool create = message.find("create") != nullptr;
  const auto device = create ? changed.device_of(message.text_of("create").value()).value()
                             : static_cast<ThinDeviceId>(message.number_of("delete").value());
  LvmConfigNode root = tree_of(changed.text());
  LvmConfigNode& segment = pool_segment_in(root);
  *segment.find("transaction_id") = LvmConfigNode::number("transaction_id", before + 1);
  segment.children.push_back(message);
  TRY(write_metadata(lvm_config_text(root), changed.seqno()));
  TRY(fail_point("fake.written"));
  const auto origin = create ? changed.device_of(changed.origin_of(message.text_of("create").value())) : std::nullopt;
  if (!TRY(create ? create_snapshot("", device, origin.value()) : delete_device("", device))) {
    return fail(ErrorCode::failed, fmt::format("the pool does not take device {}", device));
  }
  TRY(fail_point("fake.sent"));
  TRY(set_transaction("", before, before + 1));
  TRY(fail_point("fake.stepped"));
  changed = metadata();
  changed.drop_messages();
  return write_metadata(changed.text(), changed.seqno());
}

// update_pool_lv(): a device to delete may be gone, one to create must not be there.
Result<void> LvmFake::send_open_messages() {
  LvmMetadata now = metadata();
  if (now.messages().empty()) {
    return {};
  }
  if (load().transaction + 1 == now.transaction_id()) {
    for (const LvmMetadata::Message& message : now.messages()) {
      if (!message.create) {
        TRY(delete_device("", message.device));
      } else if (!TRY(create_snapshot("", message.device, message.origin))) {
        return fail(ErrorCode::failed, fmt::format("the pool contains device {} already", message.device));
      }
    }
    TRY(set_transaction("", now.transaction_id() - 1, now.transaction_id()));
  }
  now.drop_messages();
  return write_metadata(now.text(), now.seqno());
}

Result<void> LvmFake::run(const LvmCommand& command, const std::string& headline) {
  const auto held = TRY(lock());
  if (command.front() == "lvchange") {
    active = std::ranges::find(command, "-ay") != command.end();
    return {};
  }
  TRY(send_open_messages());
  LvmMetadata changed = metadata();
  if (load().transaction != changed.transaction_id()) {
    return fail(ErrorCode::failed, headline + ": not in step");
  }
  const std::string target = command.back().substr(command.back().find('/') + 1);
  if (command.front() == "lvremove") {
    const auto device = changed.device_of(target);
    if (!device) {
      return fail(ErrorCode::not_found, headline);
    }
    changed.remove({target});
    LvmConfigNode message = LvmConfigNode::section("message1");
    message.children.push_back(LvmConfigNode::number("delete", *device));
    return native(std::move(changed), message);
  }
  const std::string& name = *(std::ranges::find(command, "-n") + 1);
  if (changed.has(name)) {
    return fail(ErrorCode::exists, headline);
  }
  changed.add_clone(name, target, *changed.devices().rbegin() + 1, {}, new_lvm_id());
  LvmConfigNode message = LvmConfigNode::section("message1");
  message.children.push_back(LvmConfigNode::text("create", name));
  return native(std::move(changed), message);
}

std::map<std::string, std::string> LvmFake::volumes() const {
  const Pool pool = load();
  const LvmMetadata now = metadata();
  const LvmConfigNode root = tree_of(now.text());
  std::map<std::string, std::string> all;
  for (const LvmConfigNode& volume : root.find("vg0")->find("logical_volumes")->children) {
    if (const auto id = now.device_of(volume.key)) {
      all[volume.key] = pool.devices.contains(*id) ? pool.devices.at(*id) : "nothing";
    }
  }
  return all;
}

std::set<ThinDeviceId> LvmFake::device_ids() const {
  std::set<ThinDeviceId> ids;
  for (const auto& [id, from] : load().devices) {
    ids.insert(id);
  }
  return ids;
}

std::string LvmFake::disorder() const {
  const LvmMetadata now = metadata();
  std::set<ThinDeviceId> there = device_ids();
  std::string text;
  for (const ThinDeviceId id : now.devices()) {
    text += there.erase(id) == 0 ? fmt::format("no device {}; ", id) : "";
  }
  for (const ThinDeviceId id : there) {
    text += load().devices.at(id) == "foreign" ? "" : fmt::format("device {} is nobody's; ", id);
  }
  if (!now.messages().empty() || now.transaction_id() != load().transaction) {
    text += "not in step; ";
  }
  return text + (load().held ? "the pool's metadata are held" : "");
}

void LvmFake::add_foreign_device(ThinDeviceId id) {
  Pool pool = load();
  pool.devices[id] = "foreign";
  EXPECT_TRUE(ok(save(pool)));
}

void LvmFake::raise_seqno() { EXPECT_TRUE(ok(write_metadata(metadata().text(), metadata().seqno()))); }

}  // namespace domsmith::testing
