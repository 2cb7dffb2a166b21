// Fresh clones, NAME.fresh to LVM, become NAME once something of their own is in them.
#include <fmt/format.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace {

// LVM takes 64 words a command (MAX_ARGS), and others wait for the gate meanwhile.
constexpr std::size_t at_once = 48;

}  // namespace

Result<void> LvmStore::settle(std::span<const std::string> names, Settled then, const Fill& fill) {
  TRY(store_rules::check_names(names));
  if (!context_->commands().thin()) {
    return VolumeStore::settle(names, then, fill);
  }
  while (!names.empty()) {
    const auto part = names.first(std::min(at_once, names.size()));
    const FileLock gate = TRY(context_->use().gate());
    auto settled = settle_some(part, then, fill);
    if (!settled) {
      if (auto tidied = context_->tidy(); !tidied) {  // what is fresh still is made anew
        settled.error().causes.push_back(tidied.error().what);
      }
      return settled;
    }
    names = names.subspan(part.size());
  }
  return {};
}

Result<void> LvmStore::settle_some(std::span<const std::string> names, Settled then, const Fill& fill) {
  const LvmGroup group = TRY(context_->tidy());
  std::vector<std::string> lvs;
  Renames renames;
  for (const std::string& volume : names) {
    const LvmVolume& there = *TRY(context_->lookup(group, volume));
    TRY(store_rules::check_is_clone(volume, *there.kind, "be settled"));
    TRY(check_idle(there));
    if (context_->half_written(there.lv)) {
      return fail(ErrorCode::no_space,
                  fmt::format("'{}' was left half-written, and the pool has no room to make it anew", volume),
                  "extend the pool: lvextend -L +1G VG/POOL, or remove what is not needed");
    }
    lvs.push_back(there.lv);
    renames.emplace_back(there.lv, volume);
  }
  Operation operation = TRY(context_->begin_settling(lvs));
  for (const std::string& volume : names) {
    TRY(context_->use().set_opened(volume, true));
  }
  TRY(context_->run(context_->commands().activate(lvs), "cannot activate fresh clones"));
  for (const std::string& volume : names) {
    TRY(check_interrupted());
    TRY(fill_one(*group.find(volume), fill));
  }
  TRY(fail_point("lvm.settle.filled"));
  // Renamed while it is active, a volume costs ten times as much: LVM suspends it, for which it reserves and locks its
  // memory, and takes it away from dmeventd and gives it back.
  TRY(context_->run(context_->commands().deactivate(lvs), "cannot deactivate settled clones"));
  TRY(name_settled(renames));
  TRY(operation.finish());
  if (then == Settled::activated) {
    TRY(context_->run(context_->commands().activate(names), "cannot activate settled clones"));
  }
  for (const std::string& volume : names) {
    TRY(context_->use().set_activated(volume, then == Settled::activated));
    TRY(context_->use().set_opened(volume, false));
  }
  return {};
}

Result<void> LvmStore::fill_one(const LvmVolume& volume, const Fill& fill) {
  const FileLock hold = TRY(context_->use().hold(volume.name, Access::read_write));
  const auto device = TRY(open_block_target(context_->commands().device(volume.lv), Access::read_write));
  TRY(fill(volume.name, *device));
  return device->flush();
}

// From here on the device can be there under the name that the domain's disk has.
Result<void> LvmStore::name_settled(const Renames& renames) {
  Renames fresh;
  std::ranges::copy_if(renames, std::back_inserter(fresh),
                       [](const auto& rename) { return rename.first != rename.second; });
  if (TRY(in_one_batch(fresh.size(), [&](LvmBatch& batch) { return batch.rename(fresh); }))) {
    return {};
  }
  std::vector<LvmCommand> commands;
  for (const auto& [from, to] : fresh) {
    commands.push_back(context_->commands().rename(from, to));
  }
  return context_->run_all(commands, "cannot name settled clones");
}

}  // namespace domsmith
