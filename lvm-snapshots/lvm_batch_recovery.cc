// What a batch that died left. One rule serves all three verbs: a device number that stands in the journal and that no
// volume has is deleted. Before the change of the metadata those are the new devices, after it the old ones.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fail_point.h"
#include "base/log.h"
#include "lvm-snapshots/lvm_batch.h"

namespace domsmith {

namespace {

// Every number that the operation may have made or freed.
std::set<ThinDeviceId> devices_in(const Operation& operation) {
  std::set<ThinDeviceId> ids;
  for (const JournalStep& step : operation.steps()) {
    if (step.name == "taken") {
      ids.erase(step.arguments.value("device", ThinDeviceId{0}));
    } else if (step.arguments.contains("devices")) {
      const auto listed = step.arguments["devices"].get<std::vector<ThinDeviceId>>();
      ids.insert(listed.begin(), listed.end());
    }
  }
  return ids;
}

std::vector<std::string> names_in(const Operation& operation) {
  return operation.parameters().value("names", std::vector<std::string>());
}

bool is_of(const Operation& operation, const LvmMetadata& metadata) {
  return operation.parameters().value("group", "") == metadata.group_id() &&
         operation.parameters().value("pool", "") == metadata.pool_id();
}

// Those of the clones that the batch wrote, where LVM had not made the last one yet.
std::set<std::string, std::less<>> half_made(const Operation& operation, const LvmMetadata& metadata,
                                             const std::set<ThinDeviceId>& ids) {
  std::set<std::string, std::less<>> names;
  const std::vector<std::string> all = names_in(operation);
  if (operation.verb() != "lvm.clone" || all.empty() || metadata.has(all.back())) {
    return names;
  }
  for (const std::string& name : all) {
    if (const auto id = metadata.device_of(name); id && ids.contains(*id)) {
      names.insert(name);
    }
  }
  return names;
}

}  // namespace

// What LVM had still to send when it died: each message may have arrived already. Where the kernel has made the step,
// they all have.
Result<void> LvmBatch::send_messages(View& view) {
  const std::vector<LvmMetadata::Message> messages = view.metadata.messages();
  if (messages.empty()) {
    return {};
  }
  const auto state = TRY(machine_->pool_state(view.pool));
  const std::uint64_t wanted = view.metadata.transaction_id();
  if (state && state->transaction_id + 1 == wanted) {
    for (const LvmMetadata::Message& message : messages) {
      if (message.device == 0) {
        return fail(ErrorCode::unsupported, fmt::format("LVM has messages for thin pool {} that domsmith does not know",
                                                        commands_.path(commands_.pool)));
      }
      if (!message.create) {
        TRY(machine_->delete_device(view.pool, message.device));
      } else if (message.origin != 0) {
        TRY(machine_->create_snapshot(view.pool, message.device, message.origin));
      } else {
        TRY(machine_->create_device(view.pool, message.device));
      }
    }
    TRY(machine_->set_transaction(view.pool, state->transaction_id, wanted));
  } else if (!state || state->transaction_id != wanted) {
    return fail(ErrorCode::failed,
                fmt::format("thin pool {} and its volume group are not in step", commands_.path(commands_.pool)),
                fmt::format("lvconvert --repair {}", commands_.path(commands_.pool)));
  }
  view.metadata.drop_messages();
  return machine_->write_metadata(view.metadata.text());
}

// Whether the volume that LVM itself removes last is still to be removed.
Result<bool> LvmBatch::settle_devices(const Operation& operation) {
  View view = TRY(look());
  if (!view.metadata.messages().empty()) {
    TRY(send_messages(view));
    view.lock.reset();
    view = TRY(look());
  }
  const std::set<ThinDeviceId> ids = devices_in(operation);
  if (const auto names = half_made(operation, view.metadata, ids); !names.empty()) {
    view.metadata.remove(names);
    TRY(machine_->write_metadata(view.metadata.text()));
    TRY(fail_point("lvm.batch.unwritten"));
  }
  const std::set<ThinDeviceId> used = view.metadata.devices();
  bool removed = false;
  for (const ThinDeviceId id : ids) {
    if (!used.contains(id)) {
      TRY(machine_->delete_device(view.pool, id));
      TRY(fail_point("lvm.batch.freed"));
      removed = true;
    }
  }
  const std::string left = operation.parameters().value("left", "");
  if (left.empty() || view.metadata.id_of(left) != operation.parameters().value("left_id", "")) {
    return false;
  }
  // A reset makes that volume with its change; a removal has it from the start, and has begun where the others are
  // gone.
  return operation.verb() == "lvm.reset" || removed;
}

Result<void> LvmBatch::settle(const Operation& operation) {
  if (!is_of(operation, TRY(look()).metadata)) {
    return {};  // another group, or another pool, has the name now
  }
  const std::string device = operation.parameters().value("device", "");
  const bool active = TRY(machine_->pool_state(device)).has_value();
  if (!active) {
    TRY(machine_->run(commands_.activate(commands_.pool), "cannot activate the thin pool"));
  }
  if (operation.verb() == "lvm.look") {
    TRY(machine_->release(device));
  } else if (TRY(settle_devices(operation))) {
    const std::string left = operation.parameters().value("left", "");
    TRY(machine_->run(commands_.remove(std::span(&left, 1)).front(), fmt::format("cannot remove '{}'", left)));
  }
  if (!active) {
    TRY(machine_->run(commands_.deactivate(commands_.pool), "cannot deactivate the thin pool"));
  }
  return {};
}

Result<bool> LvmBatch::recover() {
  bool found = false;
  for (Operation& operation : TRY(journal_.abandoned())) {
    log_info(
        fmt::format("{}/{}: settling what a {} that died left", commands_.group, commands_.pool, operation.verb()));
    TRY(fail_point("lvm.recover.before"));
    TRY(settle(operation));
    TRY(operation.finish());
    TRY(fail_point("lvm.recover.after"));
    found = true;
  }
  return found;
}

Result<bool> LvmBatch::unfinished() const { return !TRY(journal_.abandoned()).empty(); }

}  // namespace domsmith
