// The LVM store's verbs on many volumes: clone, reset, remove.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "lvm-snapshots/lvm_errors.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

Result<void> LvmStore::make_snapshots(const Snapshots& snapshots, const std::string& headline) {
  progress().begin("volumes", snapshots.size(), "volumes");
  std::vector<std::string> made;
  Result<void> result;
  for (const auto& [origin, volume] : snapshots) {
    result = check_interrupted();
    if (result) {
      const LvmCommand command = context_->commands().snapshot(origin, volume);
      result = context_->run(made.size() + 1 < snapshots.size() ? without_backup(command) : command, headline);
    }
    if (!result) {
      break;
    }
    made.push_back(volume);
    progress().advance("volumes", made.size(), snapshots.size(), "volumes");
    result = fail_point("lvm.snapshot.after");
    if (!result) {
      break;
    }
  }
  progress().end("volumes");
  if (!result && !made.empty()) {
    if (auto undone = context_->run_all(context_->commands().remove(made), headline); !undone) {
      result.error().causes.push_back(fmt::format("undoing it failed as well: {}", undone.error().what));
    }
  }
  return result;
}

Result<bool> LvmStore::in_one_batch(std::size_t count, const Batch& batch) {
  return context_->batches(count) ? in_batch(batch) : Result<bool>(false);
}

Result<bool> LvmStore::in_batch(const Batch& batch) {
  if (!context_->batches()) {
    return false;
  }
  const LvmBatch::Refusal refusal = TRY(batch(context_->batch()));
  if (refusal) {
    log_info(fmt::format("{}: one by one, for {}", name(), *refusal));
  }
  return !refusal;
}

Result<void> LvmStore::clone(std::string_view origin, std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& golden = *TRY(context_->lookup(group, origin));
  TRY(store_rules::check_origin(origin, *golden.kind));
  Snapshots snapshots;
  std::vector<std::string> lvs;
  for (const std::string& volume : names) {
    TRY(check_free_name(group, volume));
    snapshots.emplace_back(origin, context_->commands().fresh(volume));
    lvs.push_back(snapshots.back().second);
  }
  TRY(check_room(group, golden.size, names.size()));
  // An active origin has to be suspended for each snapshot; LVM does that.
  if (!golden.active &&
      TRY(in_one_batch(names.size(), [&](LvmBatch& batch) { return batch.clone(golden.lv, lvs, progress()); }))) {
    return {};
  }
  return make_snapshots(snapshots, fmt::format("cannot clone '{}'", origin));
}

Result<void> LvmStore::reset(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  Snapshots snapshots;
  Renames renames;
  std::uint64_t largest = 0;
  bool idle = true;
  for (const std::string& volume : names) {
    const LvmVolume& there = *TRY(context_->lookup(group, volume));
    TRY(store_rules::check_is_clone(volume, *there.kind, "be reset"));
    TRY(check_idle(there));
    snapshots.emplace_back(there.origin, fmt::format("{}{}", volume, suffix_reset));
    renames.emplace_back(there.lv, context_->commands().fresh(volume));
    largest = std::max(largest, there.size);
    const LvmVolume* origin = group.find(there.origin);
    if (origin == nullptr) {
      return fail(ErrorCode::unsupported, fmt::format("'{}' is a copy of its own, which has no origin in LVM", volume));
    }
    // A batch gives a volume its origin's bytes, and leaves its length as it is.
    idle = idle && !origin->active && there.size == origin->size;
  }
  if (names.empty()) {
    return {};
  }
  TRY(check_room(group, largest, 1));
  if (idle && TRY(in_one_batch(names.size(), [&](LvmBatch& batch) { return batch.reset(renames, progress()); }))) {
    return {};
  }
  TRY(check_room(group, largest, names.size()));
  return reset_one_by_one(renames, snapshots);
}

// New snapshots stand beside the old clones first, and take their names when all of them are there. A crash in between
// is found by tidy(): NAME.reset goes where NAME is there still, and becomes a fresh NAME where it is not.
Result<void> LvmStore::reset_one_by_one(const Renames& renames, const Snapshots& snapshots) {
  const std::string headline = fmt::format("cannot reset {} volume{}", renames.size(), renames.size() == 1 ? "" : "s");
  TRY(make_snapshots(snapshots, headline));
  std::vector<LvmCommand> swap;
  for (std::size_t i = 0; i < renames.size(); ++i) {
    std::ranges::copy(context_->commands().remove(std::span(&renames[i].first, 1)), std::back_inserter(swap));
    swap.push_back(context_->commands().rename(snapshots[i].second, renames[i].second));
  }
  for (std::size_t i = 0; i < swap.size(); ++i) {
    // From the first removal on there is no way back: what fails now is finished by the next tidy().
    TRY(context_->run(i + 1 < swap.size() ? without_backup(swap[i]) : swap[i], headline));
    TRY(fail_point("lvm.reset.step"));
  }
  return {};
}

Result<void> LvmStore::check_removable(const LvmGroup& group, std::span<const std::string> names) const {
  const std::set<std::string_view> going(names.begin(), names.end());
  for (const std::string& volume : names) {
    const LvmVolume& there = *TRY(context_->lookup(group, volume));
    TRY(check_idle(there));
    std::vector<std::string> clones;
    for (const LvmVolume& other : group.volumes) {
      if (other.origin == there.lv && !going.contains(other.name)) {  // anybody's: LVM removes classic ones with it
        clones.push_back(other.name);
      }
    }
    if (!clones.empty()) {
      return store_rules::golden_has_clones(volume, clones);
    }
  }
  return {};
}

Result<void> LvmStore::remove_clones(std::span<const std::string> lvs) {
  if (TRY(in_one_batch(lvs.size(), [&](LvmBatch& batch) { return batch.remove(lvs, progress()); }))) {
    return {};
  }
  return context_->run_all(context_->commands().remove(lvs), "cannot remove volumes");
}

Result<void> LvmStore::remove(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  std::vector<std::string> there;
  std::ranges::copy_if(names, std::back_inserter(there), [&](const std::string& volume) {
    const LvmVolume* found = group.find(volume);
    return found != nullptr && context_->holds(*found);
  });
  TRY(check_removable(group, there));
  // Clones first: at no time is there one without its golden image.
  std::vector<std::string> clones, others;
  for (const std::string& volume : there) {
    const LvmVolume& found = *group.find(volume);
    (found.kind == VolumeKind::clone ? clones : others).push_back(found.lv);
  }
  TRY(fail_point("lvm.remove.before"));
  TRY(remove_clones(clones));
  TRY(context_->run_all(context_->commands().remove(others), "cannot remove volumes"));
  for (const std::string& volume : there) {
    context_->use().forget(volume);
  }
  return fail_point("lvm.remove.after");
}

}  // namespace domsmith
