// The three verbs. What a crash left: lvm_batch_recovery.cc. What the pool itself holds: lvm_batch_look.cc.
#include "lvm-snapshots/lvm_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "lvm-snapshots/lvm_report.h"

namespace domsmith {

namespace {

using NameSet = std::set<std::string, std::less<>>;

// Names that lvcreate(8) refuses; it says why better than we could. (lib/misc/lvm-string.c, apply_lvname_restrictions)
bool reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 17> parts = {
      "_cdata", "_cmeta", "_corig", "_cpool", "_cvol",  "_wcorig", "_mimage",  "_mlog",   "_rimage",
      "_rmeta", "_tdata", "_tmeta", "_vdata", "_imeta", "_iorig",  "_pmspare", "_vorigin"};
  return name.starts_with("snapshot") || name.starts_with("pvmove") ||
         std::ranges::any_of(parts, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

// Kernel names hold group and volume with each dash doubled, 127 bytes at most (dm-ioctl.h, DM_NAME_LEN).
bool too_long(std::string_view group, std::string_view name) {
  static constexpr std::size_t longest = 127;
  return dashes_doubled(group).size() + 1 + dashes_doubled(name).size() + suffix_reset.size() > longest;
}

std::vector<ThinDeviceId> ids_of(std::span<const std::string> names, const LvmMetadata& metadata) {
  std::vector<ThinDeviceId> ids;
  std::ranges::transform(names, std::back_inserter(ids),
                         [&](const std::string& name) { return metadata.device_of(name).value_or(0); });
  return ids;
}

// The one with the highest device: while it is there, LVM gives out no number of the others (lvm_metadata.h).
const std::string& highest(std::span<const std::string> names, const LvmMetadata& metadata) {
  return *std::ranges::max_element(names, {}, [&](const std::string& name) { return metadata.device_of(name); });
}

// NAME.reset, of NAME as well as of NAME.fresh.
std::string left_name(std::string_view lv) { return fmt::format("{}{}", lv.substr(0, lv.find('.')), suffix_reset); }

// Names that volumes of ours are to get.
LvmBatch::Refusal name_refusal(LvmBatch::Renames volumes, const LvmMetadata& metadata) {
  for (const auto& [from, to] : volumes) {
    if (from != to && metadata.has(to)) {
      return fmt::format("there is a volume '{}'", to);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<LvmBatch::View> LvmBatch::look() {
  std::shared_ptr<void> lock = TRY(machine_->lock());
  LvmMetadata metadata = TRY(LvmMetadata::of(TRY(machine_->read_metadata()), commands_.group, commands_.pool));
  std::string pool = metadata.pool_device_uuid();
  return View{std::move(lock), std::move(metadata), std::move(pool)};
}

Result<LvmBatch::Refusal> LvmBatch::pool_refusal(const View& view) {
  if (Refusal refusal = view.metadata.refusal()) {
    return refusal;
  }
  const auto state = TRY(machine_->pool_state(view.pool));
  if (!state) {
    return "the pool is not active";
  }
  if (!state->trouble.empty()) {
    return state->trouble;
  }
  if (state->transaction_id != view.metadata.transaction_id()) {
    return "the kernel's pool and the volume group are not in step";
  }
  return std::nullopt;
}

Result<Operation> LvmBatch::begin(std::string_view verb, const View& view, nlohmann::json parameters) {
  parameters["group"] = view.metadata.group_id();
  parameters["pool"] = view.metadata.pool_id();
  parameters["device"] = view.pool;
  return journal_.begin(verb, std::move(parameters));
}

// The journal is held until all is settled; where that fails as well, the next verb finds it.
Result<LvmBatch::Refusal> LvmBatch::conclude(Operation& operation, Result<void> done) {
  if (!done) {
    Error error = std::move(done).error();
    auto settled = settle(operation);
    if (settled) {
      settled = operation.finish();
    }
    if (settled && operation.verb() == "lvm.clone") {
      settled = take_back(operation);
    }
    if (!settled) {
      error.causes.push_back(fmt::format("tidying up failed as well: {}", settled.error().what));
    }
    return std::unexpected(std::move(error));
  }
  TRY(operation.finish());
  return std::nullopt;
}

Result<void> LvmBatch::make_devices(Operation& operation, const View& view, const std::vector<Device>& devices,
                                    Progress& progress) {
  std::vector<ThinDeviceId> ids;
  std::ranges::transform(devices, std::back_inserter(ids), &Device::id);
  progress.begin("volumes", devices.size(), "volumes");
  auto made = operation.perform("devices", {{"devices", ids}}, [&]() -> Result<void> {
    std::uint64_t done = 0;
    for (const Device& device : devices) {
      TRY(check_interrupted());
      if (!TRY(machine_->create_snapshot(view.pool, device.id, device.origin))) {
        TRY(operation.record("taken", {{"device", device.id}}));
        return fail(ErrorCode::busy,
                    fmt::format("somebody makes devices in {} past LVM", commands_.path(commands_.pool)),
                    "try again; find out who sends messages to that pool");
      }
      progress.advance("volumes", ++done, devices.size(), "volumes");
      TRY(fail_point("lvm.batch.device"));
    }
    return {};
  });
  progress.end("volumes");
  return made;
}

Result<void> LvmBatch::delete_devices(Operation& operation, const View& view, std::span<const ThinDeviceId> ids,
                                      Progress& progress) {
  progress.begin("freeing", ids.size(), "volumes");
  auto deleted = operation.perform("free", nlohmann::json::object(), [&]() -> Result<void> {
    std::uint64_t done = 0;
    for (const ThinDeviceId id : ids) {
      TRY(machine_->delete_device(view.pool, id));
      progress.advance("freeing", ++done, ids.size(), "volumes");
      TRY(fail_point("lvm.batch.free"));
    }
    return {};
  });
  progress.end("freeing");
  return deleted;
}

// `freed`: devices that no volume has from then on.
Result<void> LvmBatch::commit(Operation& operation, LvmMetadata& changed, std::span<const ThinDeviceId> freed) {
  const std::vector<ThinDeviceId> ids(freed.begin(), freed.end());
  return operation.perform("metadata", {{"devices", ids}}, [&] { return write(changed); });
}

// It has the number of the text that was read; writing raises it.
Result<void> LvmBatch::write(LvmMetadata& changed) {
  if (const std::string flaw = changed.flaw(); !flaw.empty()) {
    return fail(ErrorCode::failed, fmt::format("the metadata of VG {} would be wrong: {}", commands_.group, flaw));
  }
  changed.sign("Write from domsmith.", stamp_now());
  TRY(machine_->write_metadata(changed.text(), changed.seqno()));
  changed.set_seqno(changed.seqno() + 1);
  machine_->made_of(changed.parts());
  return {};
}

// What is active keeps its device, whatever its group says.
Result<LvmBatch::Refusal> LvmBatch::active_refusal(std::span<const std::string> names) {
  const std::vector<std::string> mapped = TRY(machine_->mapped_names());
  const NameSet active(mapped.begin(), mapped.end());
  for (const std::string& name : names) {
    if (active.contains(commands_.device_name(name))) {
      return fmt::format("'{}' is active", name);
    }
  }
  return std::nullopt;
}

Result<LvmBatch::Refusal> LvmBatch::clone(const std::string& origin, std::span<const std::string> names,
                                          Progress& progress) {
  View view = TRY(look());
  if (Refusal refusal = TRY(pool_refusal(view))) {
    return refusal;
  }
  const auto origin_device = view.metadata.device_of(origin);
  if (!origin_device) {
    return unusual(origin);
  }
  for (const std::string& name : names) {
    if (reserved(name) || too_long(commands_.group, name) || view.metadata.has(name)) {
      return fmt::format("LVM has something to say about the name '{}'", name);
    }
  }
  if (Refusal refusal = TRY(active_refusal(std::span(&origin, 1)))) {  // LVM suspends it for each snapshot
    return refusal;
  }
  std::set<ThinDeviceId> taken;
  if (Refusal refusal = TRY(look_at_devices(view, taken))) {
    return refusal;
  }
  // One more than there are volumes: it is deleted again by the message that goes with the transaction number's step.
  std::vector<Device> devices;
  for (const ThinDeviceId id : choose_device_ids(taken, names.size() + 1)) {
    devices.push_back({id, *origin_device});
  }
  if (devices.size() != names.size() + 1) {
    return "the pool has too few free device numbers";
  }
  const std::vector<std::string> all(names.begin(), names.end());
  Operation operation = TRY(begin("lvm.clone", view, {{"names", all}}));
  auto done = clone_steps(operation, std::move(view), origin, names, std::move(devices),
                          progress);  // its view, and with it the lock, ends here
  return conclude(operation, std::move(done));
}

Result<void> LvmBatch::clone_steps(Operation& operation, View view, const std::string& origin,
                                   std::span<const std::string> names, std::vector<Device> devices,
                                   Progress& progress) {
  TRY(make_devices(operation, view, devices, progress));
  const LvmStamp stamp = stamp_now();
  for (std::size_t i = 0; i < names.size(); ++i) {
    view.metadata.add_clone(names[i], origin, devices[i].id, stamp, new_lvm_id());
  }
  view.metadata.begin_step(devices.back().id);
  TRY(commit(operation, view.metadata, {}));
  return operation.perform("step", nlohmann::json::object(), [&] { return send_messages(view); });
}

Result<LvmBatch::Refusal> LvmBatch::reset(Renames volumes, Progress& progress) {
  std::vector<std::string> names;
  std::ranges::transform(volumes, std::back_inserter(names), &Renames::value_type::first);
  View view = TRY(look());
  if (Refusal refusal = TRY(pool_refusal(view))) {
    return refusal;
  }
  std::set<ThinDeviceId> taken;
  if (Refusal refusal = TRY(look_at_devices(view, taken))) {
    return refusal;
  }
  const std::vector<ThinDeviceId> ids = choose_device_ids(taken, names.size());
  if (ids.size() != names.size()) {
    return "the pool has too few free device numbers";
  }
  std::vector<Device> devices;
  std::vector<std::string> idle = names;  // and their origins
  for (const std::string& name : names) {
    idle.push_back(view.metadata.origin_of(name));
    const auto origin_device = view.metadata.device_of(view.metadata.origin_of(name));
    if (!origin_device || !view.metadata.device_of(name)) {
      return unusual(name);
    }
    devices.push_back({ids[devices.size()], *origin_device});
  }
  if (const std::string other = view.metadata.outsider_using(NameSet(names.begin(), names.end())); !other.empty()) {
    return fmt::format("'{}' was made from one of them", other);
  }
  if (Refusal refusal = TRY(active_refusal(idle))) {
    return refusal;
  }
  const std::string left = left_name(highest(names, view.metadata));
  if (view.metadata.has(left)) {
    return fmt::format("there is a volume '{}'", left);
  }
  if (Refusal refusal = name_refusal(volumes, view.metadata)) {
    return refusal;
  }
  Operation operation = TRY(begin("lvm.reset", view, {{"names", names}, {"left", left}, {"left_id", new_lvm_id()}}));
  auto done = reset_steps(operation, std::move(view), volumes, std::move(devices),
                          progress);  // its view, and with it the lock, ends here
  return conclude(operation, std::move(done));
}

// All old devices but the highest lose their volumes; that one gets a volume of its own, which goes when the others are
// deleted.
Result<void> LvmBatch::reset_steps(Operation& operation, View view, Renames volumes, std::vector<Device> devices,
                                   Progress& progress) {
  TRY(make_devices(operation, view, devices, progress));
  LvmMetadata& changed = view.metadata;
  std::vector<std::string> names;
  std::ranges::transform(volumes, std::back_inserter(names), &Renames::value_type::first);
  const std::string& last = highest(names, changed);
  const ThinDeviceId kept = changed.device_of(last).value_or(0);
  const std::string origin = changed.origin_of(last);
  const std::string left = left_name(last);
  std::vector<ThinDeviceId> freed = ids_of(names, changed);
  std::erase(freed, kept);
  const LvmStamp stamp = stamp_now();
  for (std::size_t i = 0; i < names.size(); ++i) {
    changed.set_device(names[i], devices[i].id, stamp);
  }
  changed.rename(volumes);
  changed.add_clone(left, origin, kept, stamp, operation.parameters().value("left_id", ""));
  TRY(commit(operation, changed, freed));
  TRY(delete_devices(operation, view, freed, progress));
  return operation.perform("last", nlohmann::json::object(), [&] { return take_out(view, left); });
}

Result<LvmBatch::Refusal> LvmBatch::remove(std::span<const std::string> names, Progress& progress) {
  View view = TRY(look());
  if (Refusal refusal = TRY(pool_refusal(view))) {
    return refusal;
  }
  for (const std::string& name : names) {
    if (!view.metadata.device_of(name)) {
      return unusual(name);
    }
  }
  if (const std::string other = view.metadata.outsider_using(NameSet(names.begin(), names.end())); !other.empty()) {
    return fmt::format("'{}' was made from one of them", other);
  }
  if (Refusal refusal = TRY(active_refusal(names))) {
    return refusal;
  }
  const std::string last = highest(names, view.metadata);
  std::vector<std::string> first(names.begin(), names.end());
  std::erase(first, last);
  Operation operation =
      TRY(begin("lvm.remove", view, {{"names", first}, {"left", last}, {"left_id", view.metadata.id_of(last)}}));
  auto done =
      remove_steps(operation, std::move(view), first, last, progress);  // its view, and with it the lock, ends here
  return conclude(operation, std::move(done));
}

Result<void> LvmBatch::remove_steps(Operation& operation, View view, std::span<const std::string> names,
                                    const std::string& last, Progress& progress) {
  const std::vector<ThinDeviceId> freed = ids_of(names, view.metadata);
  view.metadata.remove(NameSet(names.begin(), names.end()));
  TRY(commit(operation, view.metadata, freed));
  TRY(delete_devices(operation, view, freed, progress));
  return operation.perform("last", nlohmann::json::object(), [&] { return take_out(view, last); });
}

Result<LvmBatch::Refusal> LvmBatch::rename(Renames volumes) {
  View view = TRY(look());
  if (Refusal refusal = TRY(pool_refusal(view))) {
    return refusal;
  }
  std::vector<std::string> names;
  for (const auto& [from, to] : volumes) {
    if (!view.metadata.device_of(from)) {
      return unusual(from);
    }
    names.push_back(from);
  }
  if (const std::string other = view.metadata.outsider_using(NameSet(names.begin(), names.end())); !other.empty()) {
    return fmt::format("'{}' was made from one of them", other);
  }
  if (Refusal refusal = TRY(active_refusal(names))) {
    return refusal;
  }
  if (Refusal refusal = name_refusal(volumes, view.metadata)) {
    return refusal;
  }
  view.metadata.rename(volumes);
  TRY(fail_point("lvm.rename.before"));
  TRY(write(view.metadata));
  TRY(fail_point("lvm.rename.after"));
  return std::nullopt;
}

std::vector<std::string> LvmBatch::plan(std::string_view message, std::size_t count) const {
  return {fmt::format("vgcfgbackup --nolocking -f FILE {}", commands_.group), to_pool(message, count), rewrite()};
}

std::string LvmBatch::to_pool(std::string_view message, std::size_t count) const {
  return fmt::format("dmsetup message {} 0 {}{}", commands_.pool_target(), message,
                     count == 1 ? "" : fmt::format(", {} times", count));
}

std::string LvmBatch::rewrite() const {
  return fmt::format("vgcfgrestore --nolocking --force --yes -f FILE {}", commands_.group);
}

// The text says what the kernel is told: the number's step, and the message that goes with it.
void LvmBatch::add_step(std::vector<std::string>& lines, std::string_view message) const {
  lines.push_back(to_pool(message, 1));
  lines.push_back(to_pool("set_transaction_id NUMBER NEXT", 1));
  lines.push_back(rewrite());
}

std::vector<std::string> LvmBatch::plan_clone(std::string_view /*origin*/, std::span<const std::string> names) const {
  std::vector<std::string> lines = plan("create_snap NEW ORIGIN", names.size() + 1);
  add_step(lines, "delete SPARE");
  return lines;
}

std::vector<std::string> LvmBatch::plan_reset(std::string_view /*origin*/, std::span<const std::string> names) const {
  std::vector<std::string> lines = plan("create_snap NEW ORIGIN", names.size());
  lines.push_back(to_pool("delete OLD", names.size() - 1));
  lines.push_back(rewrite());
  add_step(lines, "delete LAST");
  return lines;
}

std::vector<std::string> LvmBatch::plan_remove(std::span<const std::string> names) const {
  std::vector<std::string> lines = plan("delete OLD", names.size() - 1);
  std::swap(lines[1], lines[2]);  // the volumes go first, then their devices
  lines.push_back(rewrite());
  add_step(lines, "delete LAST");
  return lines;
}

}  // namespace domsmith
