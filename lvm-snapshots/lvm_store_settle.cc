// Fresh clones, NAME.fresh to LVM, become NAME once something of their own is in them.
#include <fmt/format.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace {

// LVM takes 64 words a command (MAX_ARGS).
constexpr std::size_t a_command = 48;
// They get their names in one change of the group; others wait for the gate meanwhile.
constexpr std::size_t a_change = 10 * a_command;

template <class Do>
Result<void> in_parts(std::span<const std::string> all, std::size_t most, Do&& one) {
  for (; !all.empty(); all = all.subspan(std::min(most, all.size()))) {
    TRY(one(all.first(std::min(most, all.size()))));
  }
  return {};
}

}  // namespace

Result<void> LvmStore::settle(std::span<const std::string> names, Settled then, const Fill& fill) {
  TRY(store_rules::check_names(names));
  if (!context_->commands().thin()) {
    return VolumeStore::settle(names, then, fill);
  }
  return in_parts(names, a_change, [&](std::span<const std::string> part) -> Result<void> {
    const FileLock gate = TRY(context_->use().gate());
    auto settled = settle_some(part, then, fill);
    if (!settled) {
      if (auto tidied = context_->tidy(); !tidied) {  // what is fresh still is made anew
        settled.error().causes.push_back(tidied.error().what);
      }
    }
    return settled;
  });
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
  std::size_t filled = 0;
  const auto all_filled = in_parts(names, a_command, [&](auto part) -> Result<void> {
    TRY(fill_some(group, part, fill));
    filled += part.size();
    return {};
  });
  TRY(name_settled(std::span(renames).first(filled)));  // a later one's failure is not theirs
  TRY(all_filled);
  TRY(operation.finish());
  if (then == Settled::activated) {
    TRY(in_parts(names, a_command, [&](auto part) {
      return context_->run(context_->commands().activate(part), "cannot activate settled clones");
    }));
  }
  for (const std::string& volume : names) {
    TRY(context_->use().set_activated(volume, then == Settled::activated));
    TRY(context_->use().set_opened(volume, false));
  }
  return {};
}

// They are not active after it. Renamed while it is, a volume costs ten times as much: LVM suspends it, for which it
// reserves and locks its memory, and takes it away from dmeventd and gives it back.
Result<void> LvmStore::fill_some(const LvmGroup& group, std::span<const std::string> names, const Fill& fill) {
  std::vector<std::string> lvs;
  for (const std::string& volume : names) {
    TRY(context_->use().set_opened(volume, true));
    lvs.push_back(group.find(volume)->lv);
  }
  const bool mapped = TRY(in_batch([&](LvmBatch& batch) { return batch.map(lvs); }));
  if (!mapped) {
    TRY(context_->run(context_->commands().activate(lvs), "cannot activate fresh clones"));
  }
  TRY(fail_point("lvm.settle.active"));
  for (const std::string& volume : names) {
    TRY(check_interrupted());
    const std::string& lv = group.find(volume)->lv;
    TRY(fill_one(volume, mapped ? context_->commands().mapper(lv) : context_->commands().device(lv), fill));
  }
  TRY(fail_point("lvm.settle.filled"));
  return mapped ? context_->batch().unmap(lvs)
                : context_->run(context_->commands().deactivate(lvs), "cannot deactivate settled clones");
}

Result<void> LvmStore::fill_one(const std::string& volume, const std::string& path, const Fill& fill) {
  const FileLock hold = TRY(context_->use().hold(volume, Access::read_write));
  const auto device = TRY(open_block_target(path, Access::read_write));
  TRY(fill(volume, *device));
  return device->flush();
}

// From here on the device can be there under the name that the domain's disk has.
Result<void> LvmStore::name_settled(LvmBatch::Renames renames) {
  Renames fresh;
  std::ranges::copy_if(renames, std::back_inserter(fresh),
                       [](const auto& rename) { return rename.first != rename.second; });
  if (fresh.empty() || TRY(in_batch([&](LvmBatch& batch) { return batch.rename(fresh); }))) {
    return {};
  }
  std::vector<LvmCommand> commands;
  for (const auto& [from, to] : fresh) {
    commands.push_back(context_->commands().rename(from, to));
  }
  return context_->run_all(commands, "cannot name settled clones");
}

}  // namespace domsmith
