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

// The volume that goes last, where it is there still and is the batch's own.
std::string left_in(const Operation& operation, const LvmMetadata& metadata) {
  const std::string left = operation.parameters().value("left", "");
  return !left.empty() && metadata.id_of(left) == operation.parameters().value("left_id", "") ? left : "";
}

}  // namespace

// What the kernel's pool has still to be told before its transaction number is stepped: each message may have arrived
// already. Where the kernel has made the step, they all have. LVM itself does the same with whatever it finds.
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
  TRY(fail_point("lvm.batch.stepped"));
  view.metadata.drop_messages();
  return write(view.metadata);
}

// The last volume goes as LVM's lvremove takes one away: first from the metadata, with a message to the pool.
Result<void> LvmBatch::take_out(View& view, const std::string& last) {
  const ThinDeviceId device = view.metadata.device_of(last).value_or(0);
  view.metadata.remove({last});
  view.metadata.begin_step(device);
  TRY(write(view.metadata));
  TRY(fail_point("lvm.batch.taken_out"));
  return send_messages(view);
}

// Clones that are there although an error is told: it came after their commit.
Result<void> LvmBatch::take_back(const Operation& operation) {
  std::vector<std::string> there;
  {
    const View view = TRY(look());
    const std::set<ThinDeviceId> ids = devices_in(operation);
    for (const std::string& name : names_in(operation)) {
      if (const auto id = view.metadata.device_of(name); id && ids.contains(*id)) {
        there.push_back(name);
      }
    }
  }
  SilentProgress silent;
  const Refusal refusal = there.empty() ? std::nullopt : TRY(remove(there, silent));
  return refusal ? fail(ErrorCode::failed, *refusal) : Result<void>();
}

Result<void> LvmBatch::settle_devices(const Operation& operation) {
  View view = TRY(look());
  TRY(send_messages(view));
  const std::set<ThinDeviceId> ids = devices_in(operation);
  const std::set<ThinDeviceId> used = view.metadata.devices();
  bool removed = false;
  for (const ThinDeviceId id : ids) {
    if (!used.contains(id)) {
      TRY(machine_->delete_device(view.pool, id));
      TRY(fail_point("lvm.batch.freed"));
      removed = true;
    }
  }
  // A reset makes the last one with its change; a removal has it from the start, and has begun where the others are
  // gone.
  const std::string left = left_in(operation, view.metadata);
  if (!left.empty() && (operation.verb() == "lvm.reset" || removed)) {
    TRY(take_out(view, left));
  }
  return {};
}

Result<void> LvmBatch::settle(const Operation& operation) {
  std::string left;
  {
    const View view = TRY(look());
    if (!is_of(operation, view.metadata)) {
      return {};  // another group, or another pool, has the name now
    }
    left = left_in(operation, view.metadata);
  }
  const std::string device = operation.parameters().value("device", "");
  const bool active = TRY(machine_->pool_state(device)).has_value();
  if (!active) {
    TRY(machine_->run(commands_.activate(commands_.pool), "cannot activate the thin pool"));
  }
  if (operation.verb() == "lvm.look") {
    TRY(machine_->release(device));
  } else {
    if (!left.empty() && TRY(active_refusal(std::span(&left, 1)))) {  // somebody has looked into it meanwhile
      TRY(machine_->run(commands_.deactivate(left), fmt::format("cannot remove '{}'", left)));
    }
    TRY(settle_devices(operation));
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
