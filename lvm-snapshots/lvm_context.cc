#include "lvm-snapshots/lvm_context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_errors.h"
#include "lvm-snapshots/lvm_flush.h"
#include "lvm-snapshots/lvm_kernel.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace {

// What is not durable when it is said to be done: everything but activating and deactivating.
bool changes_metadata(const LvmCommand& command) {
  return std::ranges::none_of(command, [](const std::string& word) { return word == "-ay" || word == "-an"; }) ||
         command.front() == "lvcreate";
}

}  // namespace

LvmContext::LvmContext(std::string group, std::string pool, const std::filesystem::path& run,
                       const std::filesystem::path& state)
    : commands_{std::move(group), std::move(pool)},
      reader_(std::make_shared<LvmGroupReader>(commands_.group)),
      use_(run, commands_.group),
      batch_(std::make_unique<LvmHost>(commands_.group, reader_,
                                       state / "@settings",  // no group can have that name
                                       [this](const LvmCommand& command, const std::string& headline) {
                                         return this->run(command, headline);
                                       }),
             commands_, state / commands_.group / commands_.pool),
      settling_(state / commands_.group / commands_.pool / "settling") {}

std::string LvmContext::name() const {
  return commands_.thin() ? fmt::format("lvm:{}/{}", commands_.group, commands_.pool) : "lvm:" + commands_.group;
}

Result<void> LvmContext::check_host() {
  if (host_checked_) {
    return {};
  }
  if (::geteuid() != 0) {
    return lvm_refusal::not_root(name());
  }
  if (!kernel_has_device_mapper()) {
    return lvm_refusal::no_device_mapper(name());
  }
  host_checked_ = true;
  return {};
}

Result<LvmOutcome> LvmContext::command(const LvmCommand& command) {
  TRY(check_host());
  if (!library_) {
    library_ = TRY(LvmLibrary::get());
  }
  return library_->run(command);
}

Result<void> LvmContext::run(const LvmCommand& words, const std::string& headline) {
  const LvmOutcome outcome = TRY(command(words));
  if (outcome.success) {
    return changes_metadata(words) ? flush_disks(commands_.group) : Result<void>();
  }
  TRY(check_interrupted());  // LVM gives up at SIGINT too
  return std::unexpected(lvm_error(headline, outcome));
}

Result<void> LvmContext::run_all(const std::vector<LvmCommand>& commands, const std::string& headline) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    TRY(run(i + 1 < commands.size() ? without_backup(commands[i]) : commands[i], headline));
  }
  return {};
}

// What LVM's own report would say, where no command of LVM is needed for it.
Result<std::optional<LvmGroup>> LvmContext::report_past_lvm() {
  const auto disks = reader_->read(disks_below(commands_.group));
  if (!disks) {
    log_debug(fmt::format("asking LVM about VG {}: {}", commands_.group, disks.error().what));
    return std::optional<LvmGroup>();
  }
  if (!seen_ || seen_->first != reader_->generation()) {  // a verb asks several times
    seen_.reset();
    auto group = group_of_parts(*TRY(reader_->parts()), (*disks)->agreed.area_free, commands_.group);
    if (!group) {
      return group;
    }
    seen_.emplace(reader_->generation(), std::move(*group));
  }
  LvmGroup group = seen_->second;
  add_mapped(group, TRY(mapped_volumes(commands_.group)));
  return group;
}

Result<LvmGroup> LvmContext::report_unchecked() {
  TRY(check_host());
  if (auto group = TRY(report_past_lvm())) {
    return std::move(*group);
  }
  for (const LvmCommand& words : {report_volumes_command(commands_.group), report_group_command(commands_.group)}) {
    const LvmOutcome outcome = TRY(command(words));
    if (!outcome.success) {
      Error error = lvm_error(fmt::format("cannot look at VG {}", commands_.group), outcome);
      return error.code == ErrorCode::not_found ? lvm_refusal::no_group(commands_.group) : std::unexpected(error);
    }
    LvmGroup group = TRY(parse_lvm_report(outcome.report));
    if (!group.name.empty()) {  // a group without LVs has no row in the first report
      return group;
    }
  }
  return lvm_refusal::no_group(commands_.group);
}

Result<void> LvmContext::check_pool(const LvmGroup& group) const {
  if (!commands_.thin()) {
    return {};
  }
  const LvmVolume* pool = group.find(commands_.pool);
  if (pool == nullptr) {
    return lvm_refusal::no_pool(commands_.group, commands_.pool);
  }
  if (!pool->thin_pool) {
    return lvm_refusal::not_a_pool(commands_.group, commands_.pool);
  }
  return {};
}

Result<LvmGroup> LvmContext::report() {
  LvmGroup group = TRY(report_unchecked());
  TRY(check_pool(group));
  pool_zeroes_ = commands_.thin() && group.find(commands_.pool)->zeroes;
  one_by_one_.clear();
  if (!group.peculiarity.empty()) {
    one_by_one_ = fmt::format("VG {} is {}", group.name, group.peculiarity);
  } else if (commands_.thin() && !group.find(commands_.pool)->active) {
    one_by_one_ = "the pool is not active";
  }
  return group;
}

bool LvmContext::batches(std::size_t count) const { return batches() && count >= LvmBatch::worth_it; }

std::string LvmContext::why_one_by_one() const { return one_by_one_; }

Result<LvmGroup> LvmContext::tidy() {
  LvmGroup group = TRY(report());
  bool changed = commands_.thin() && TRY(batch_.recover());
  if (changed) {
    group = TRY(report());
  }
  for (const std::string& left : TRY(use_.left_open())) {
    const LvmVolume* volume = group.find(left);
    TRY(settle(left, volume == nullptr ? left : volume->lv));
    changed = true;
  }
  changed = TRY(finish_half_made(group)) || changed;
  changed = (commands_.thin() && TRY(renew_half_settled())) || changed;
  return changed ? report() : Result<LvmGroup>(std::move(group));
}

// A volume that was not zeroed to the end goes; a reset that was cut off is finished where the old clone is gone
// already, and undone where it is not.
Result<bool> LvmContext::finish_half_made(const LvmGroup& group) {
  bool changed = false;
  const std::string headline = fmt::format("cannot tidy up VG {}", commands_.group);
  for (const LvmVolume& volume : group.volumes) {
    const bool is_new = volume.name.ends_with(suffix_new);
    const bool is_reset = volume.name.ends_with(suffix_reset);
    if (!volume.ours || volume.kind || (!is_new && !is_reset) || TRY(use_.held(volume.name))) {
      continue;
    }
    const std::string base = volume.name.substr(0, volume.name.find('.'));
    TRY(fail_point("lvm.recover.before"));
    if (is_reset && group.find(base) == nullptr) {
      TRY(run(commands_.rename(volume.lv, commands_.fresh(base)), headline));
    } else {
      TRY(run_all(commands_.remove(std::span(&volume.lv, 1)), headline));
    }
    TRY(fail_point("lvm.recover.after"));
    changed = true;
  }
  return changed;
}

Result<Operation> LvmContext::begin_settling(std::span<const std::string> lvs) const {
  return settling_.begin("lvm.settle", {{"volumes", std::vector<std::string>(lvs.begin(), lvs.end())}});
}

Result<bool> LvmContext::renew_half_settled() {
  bool changed = false;
  half_written_.clear();
  for (Operation& operation : TRY(settling_.abandoned())) {
    const LvmGroup group = TRY(report());
    std::vector<std::string> torn;
    for (const std::string& lv : operation.parameters().value("volumes", std::vector<std::string>())) {
      const auto there = std::ranges::find(group.volumes, lv, &LvmVolume::lv);
      if (there != group.volumes.end() && there->fresh && holds(*there)) {
        torn.push_back(lv);
      }
    }
    TRY(fail_point("lvm.renew.before"));
    if (auto renewed = renew(group, torn); !renewed) {
      if (renewed.error().code != ErrorCode::no_space) {
        return std::unexpected(std::move(renewed).error());
      }
      // The note stays. Whoever removes what fills the pool must not be held up.
      log_info(fmt::format("{}: {} must be made anew, and there is no room for that", name(), join(torn, ", ")));
      half_written_.insert(torn.begin(), torn.end());
      continue;
    }
    TRY(operation.finish());
    TRY(fail_point("lvm.renew.after"));
    changed = changed || !torn.empty();
  }
  return changed;
}

Result<bool> LvmContext::renew_in_one_batch(const LvmGroup& group, const std::vector<std::string>& lvs) {
  std::vector<std::pair<std::string, std::string>> same;
  for (const std::string& lv : lvs) {
    const auto there = std::ranges::find(group.volumes, lv, &LvmVolume::lv);
    const LvmVolume* origin = group.find(there->origin);
    if (there->active || origin == nullptr || origin->active || origin->size != there->size) {
      return false;
    }
    same.emplace_back(lv, lv);
  }
  SilentProgress silent;
  const LvmBatch::Refusal refusal = TRY(batch_.reset(same, silent));
  return !refusal;
}

// One that dies in here is found by finish_half_made(), or by the batch's recovery; the note stays until all are new.
Result<void> LvmContext::renew(const LvmGroup& group, const std::vector<std::string>& lvs) {
  if (batches(lvs.size()) && TRY(renew_in_one_batch(group, lvs))) {
    return {};
  }
  const std::string headline = "cannot make fresh clones anew";
  for (const std::string& lv : lvs) {
    const std::string other = lv.substr(0, lv.find('.')) + std::string(suffix_reset);
    TRY(run(commands_.snapshot(std::ranges::find(group.volumes, lv, &LvmVolume::lv)->origin, other), headline));
    TRY(fail_point("lvm.renew.step"));
    TRY(run(commands_.remove(std::span(&lv, 1)).front(), headline));
    TRY(fail_point("lvm.renew.step"));
    TRY(run(commands_.rename(other, lv), headline));
  }
  return {};
}

// Classic snapshots and their origin are activated and deactivated together (lvchange(8)), so none may be in use.
Result<bool> LvmContext::family_idle(const LvmGroup& group, std::string_view root) const {
  for (const LvmVolume& volume : group.volumes) {
    if (volume.name != root && volume.origin != root) {
      continue;
    }
    if (volume.open || use_.activated(volume.name) || TRY(use_.held(volume.name))) {
      return false;
    }
  }
  return true;
}

Result<void> LvmContext::settle(std::string_view name, std::string_view lv) {
  if (!use_.opened(name) || TRY(use_.held(name))) {
    return {};
  }
  auto settled = commands_.thin() ? settle_thin(name, lv) : settle_classic(name);
  if (!settled && settled.error().code == ErrorCode::not_found) {
    use_.forget(name);  // the volume is gone
    return {};
  }
  return settled;
}

Result<void> LvmContext::settle_thin(std::string_view name, std::string_view lv) {
  if (!use_.activated(name)) {
    TRY(run(commands_.deactivate(lv), fmt::format("cannot deactivate volume '{}'", name)));
  }
  return use_.set_opened(name, false);
}

Result<void> LvmContext::settle_classic(std::string_view name) {
  const LvmGroup group = TRY(report());
  const LvmVolume* volume = group.find(name);
  if (volume == nullptr) {
    return store_rules::absent(this->name(), name);
  }
  const std::string root = volume->origin.empty() ? volume->name : volume->origin;
  if (!TRY(family_idle(group, root))) {
    return {};  // whoever closes the last of them finds the mark
  }
  if (volume->active) {
    TRY(run(commands_.deactivate(root), fmt::format("cannot deactivate volume '{}'", name)));
  }
  return use_.set_opened(name, false);
}

bool LvmContext::holds(const LvmVolume& volume) const { return volume.kind && volume.pool == commands_.pool; }

Result<const LvmVolume*> LvmContext::lookup(const LvmGroup& group, std::string_view wanted) const {
  const LvmVolume* volume = group.find(wanted);
  if (volume == nullptr || !holds(*volume)) {
    return store_rules::absent(name(), wanted);
  }
  return volume;
}

Result<bool> LvmContext::in_use(const LvmVolume& volume) const {
  return volume.open || use_.activated(volume.name) || (commands_.thin() && volume.active) ||
         TRY(use_.held(volume.name));
}

}  // namespace domsmith
