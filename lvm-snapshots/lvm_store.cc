// Looking, creating, opening, sealing, activating, plans. The verbs on many volumes: lvm_store_clones.cc.
#include "lvm-snapshots/lvm_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "lvm-snapshots/lvm_errors.h"
#include "lvm-snapshots/lvm_target.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

Result<std::unique_ptr<VolumeStore>> open_lvm_store(const std::string& group, const std::string& pool) {
  return std::make_unique<LvmStore>(std::make_shared<LvmContext>(group, pool));
}

VolumeInfo LvmStore::info(const LvmVolume& volume, bool activated) const {
  VolumeInfo info;
  info.name = volume.name;
  info.kind = volume.kind.value_or(VolumeKind::staging);
  info.origin = info.kind == VolumeKind::clone ? volume.origin : std::string();
  info.size = volume.size;
  if (volume.data_percent) {
    info.used = static_cast<std::uint64_t>(static_cast<double>(volume.allocated) * *volume.data_percent / 100.0);
  }
  // A classic clone is active with its siblings; it counts when it is used itself.
  const bool active = context_->commands().thin() ? volume.active : volume.open;
  info.active = active || activated;
  info.device = context_->commands().device(info.kind == VolumeKind::staging ? volume.lv : volume.name);
  info.disk_spec = "phy";
  info.fresh = volume.fresh;
  return info;
}

Result<StoreStatus> LvmStore::status() {
  const LvmGroup group = TRY(context_->report());
  const LvmCommands& commands = context_->commands();
  StoreStatus status;
  status.volumes = static_cast<std::uint64_t>(
      std::ranges::count_if(group.volumes, [this](const LvmVolume& volume) { return context_->holds(volume); }));
  if (!commands.thin()) {
    status.description = fmt::format("volume group {}", commands.group);
    status.method = "snapshot";
    status.size = group.size;
    status.free = group.free;
    add_limits(group, status);
    return status;
  }
  const LvmVolume* pool = group.find(commands.pool);
  status.description =
      fmt::format("thin pool {}/{}{}", commands.group, commands.pool, pool->active ? "" : " (not active)");
  status.method = "thin snapshot";
  if (const std::string why = context_->why_one_by_one(); !why.empty()) {
    status.method += fmt::format(", one by one ({})", why);
  }
  status.size = pool->size;
  const double used = pool->data_percent.value_or(0.0);  // not known while the pool is not active
  status.free = static_cast<std::uint64_t>(static_cast<double>(pool->size) * (100.0 - used) / 100.0);
  status.metadata_used_percent = pool->metadata_percent;
  add_limits(group, status);
  return status;
}

Result<std::vector<VolumeInfo>> LvmStore::list() {
  const LvmGroup group = TRY(context_->report());
  const auto activated = context_->use().all_activated();
  std::vector<VolumeInfo> all;
  for (const LvmVolume& volume : group.volumes) {
    if (context_->holds(volume)) {
      all.push_back(info(volume, activated.contains(volume.name)));
    }
  }
  return all;
}

Result<VolumeInfo> LvmStore::find(std::string_view volume) {
  const LvmGroup group = TRY(context_->report());
  return info(*TRY(context_->lookup(group, volume)), context_->use().activated(volume));
}

Result<void> LvmStore::check_free_name(const LvmGroup& group, std::string_view volume) const {
  for (const std::string_view ending : {std::string_view(), suffix_fresh, suffix_staging, suffix_new, suffix_reset}) {
    const LvmVolume* there = group.find(fmt::format("{}{}", volume, ending));
    if (there == nullptr) {
      continue;
    }
    if (there->ours) {
      return store_rules::taken(name(), volume);
    }
    return lvm_refusal::not_ours(group.name, there->lv);
  }
  return {};
}

Result<void> LvmStore::check_idle(const LvmVolume& volume) const {
  if (TRY(context_->in_use(volume))) {
    return store_rules::in_use(volume.name);
  }
  return {};
}

Result<void> LvmStore::check_room(const LvmGroup& group, std::uint64_t size, std::size_t count) const {
  static constexpr double pool_limit = 95.0;  // percent; beyond it a running guest may be the one that suffers
  // Bytes of LVM's metadata text for a volume: about 350 without tags, and a classic snapshot is two volumes.
  const std::uint64_t text_per_volume = context_->commands().thin() ? 512 : 1024;
  if (const std::uint64_t text = text_per_volume * count; text > group.metadata_free) {
    return lvm_refusal::metadata_area_full(group.name, text, group.metadata_free);
  }
  if (!context_->commands().thin()) {
    const std::uint64_t needed = size * count;
    return needed <= group.free ? Result<void>() : lvm_refusal::group_full(group.name, needed, group.free);
  }
  const LvmVolume* pool = group.find(context_->commands().pool);
  for (const bool metadata : {false, true}) {
    const double used = (metadata ? pool->metadata_percent : pool->data_percent).value_or(0.0);
    if (used >= pool_limit) {
      return lvm_refusal::pool_full(group.name, pool->name, metadata, used);
    }
  }
  return {};
}

Result<VolumeInfo> LvmStore::create(std::string_view volume, std::uint64_t size) {
  TRY(store_rules::check_new(volume, size));
  {
    FileLock gate = TRY(context_->use().gate());
    const LvmGroup group = TRY(context_->tidy());
    TRY(check_free_name(group, volume));
    TRY(check_room(group, size, 1));
    TRY(fail_point("lvm.create.before"));
    if (context_->pool_zeroes()) {
      TRY(context_->run(context_->commands().create(LvmCommands::staging(volume), size),
                        fmt::format("cannot create volume '{}'", volume)));
    } else {
      TRY(create_zeroed(std::move(gate), volume, size));
    }
    TRY(fail_point("lvm.create.after"));
  }
  return find(volume);
}

// A classic LV holds whatever its extents held, and so does a thin one whose pool does not zero its chunks, where they
// are written in part. It gets its name when it is zeroed; others may use the group meanwhile.
Result<void> LvmStore::create_zeroed(FileLock gate, std::string_view volume, std::uint64_t size) {
  const LvmCommands& commands = context_->commands();
  const std::string half = fmt::format("{}{}", volume, suffix_new);
  const std::string headline = fmt::format("cannot create volume '{}'", volume);
  std::optional<FileLock> hold = TRY(context_->use().hold(half, Access::read_write));
  auto made = context_->run_all({commands.create(half, size), commands.activate(half)}, headline);
  std::optional<FileLock> held_gate;
  if (made) {
    {
      const FileLock release = std::move(gate);
    }
    made = zero(half);
    held_gate = TRY(context_->use().gate());
  }
  if (made) {
    made =
        context_->run_all({commands.deactivate(half), commands.rename(half, LvmCommands::staging(volume))}, headline);
  }
  if (!made) {
    (void)context_->run_all(commands.remove(std::span(&half, 1)), headline);
  }
  hold.reset();
  context_->use().forget(half);
  return made;
}

Result<void> LvmStore::zero(std::string_view volume) {
  static constexpr std::uint64_t step = 64ULL << 20;
  const auto device = TRY(open_block_target(context_->commands().device(volume), Access::read_write));
  progress().begin("zeroing", device->size(), "bytes");
  for (std::uint64_t at = 0; at < device->size(); at += step) {
    TRY(check_interrupted());
    TRY(device->discard(at, std::min(step, device->size() - at)));
    progress().advance("zeroing", at, device->size(), "bytes");
  }
  progress().end("zeroing");
  return device->flush();
}

Result<std::unique_ptr<BlockTarget>> LvmStore::open(std::string_view volume, Access access) {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& there = *TRY(context_->lookup(group, volume));
  if (access == Access::read_write) {
    if (there.kind == VolumeKind::golden) {
      return store_rules::golden_is_read_only(volume);
    }
    TRY(check_idle(there));
  }
  FileLock hold = TRY(context_->use().hold(volume, access));
  if (!there.active) {
    TRY(context_->use().set_opened(volume, true));
  }
  Result<void> active;
  if (!there.active) {
    active = context_->run(context_->commands().activate(there.lv), fmt::format("cannot activate volume '{}'", volume));
  }
  auto target = active ? open_lvm_target(context_, std::string(volume), there.lv, access, std::move(hold))
                       : Result<std::unique_ptr<BlockTarget>>(std::unexpected(std::move(active).error()));
  if (!target) {
    if (auto tidied = context_->tidy(); !tidied) {
      target.error().causes.push_back(tidied.error().what);
    }
  }
  return target;
}

Result<void> LvmStore::seal(std::string_view volume) {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& there = *TRY(context_->lookup(group, volume));
  TRY(store_rules::check_sealable(volume, *there.kind));
  if (there.kind == VolumeKind::golden) {
    return {};
  }
  TRY(check_idle(there));
  const std::string headline = fmt::format("cannot seal volume '{}'", volume);
  TRY(fail_point("lvm.seal.before"));
  if (there.active) {
    TRY(context_->run(without_backup(context_->commands().deactivate(there.lv)), headline));
  }
  TRY(name_whole(there, headline));
  TRY(context_->run(context_->commands().seal(volume), headline));
  return fail_point("lvm.seal.after");
}

Result<void> LvmStore::activate(std::string_view volume) {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& there = *TRY(context_->lookup(group, volume));
  TRY(store_rules::check_is_clone(volume, *there.kind, "be activated"));
  if (there.fresh) {
    return store_rules::is_fresh(volume);
  }
  const bool already = context_->use().activated(volume);
  if (!already && (there.open || TRY(context_->use().held(volume)))) {
    return store_rules::in_use(volume);
  }
  TRY(context_->use().set_activated(volume, true));
  if (there.active) {
    return {};
  }
  auto active =
      context_->run(context_->commands().activate(volume), fmt::format("cannot activate volume '{}'", volume));
  if (!active && !already) {
    TRY(context_->use().set_activated(volume, false));
  }
  return active;
}

Result<void> LvmStore::deactivate(std::string_view volume) {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  return put_away(*TRY(context_->lookup(group, volume)));
}

Result<void> LvmStore::deactivate_all(std::span<const std::string> names) {
  if (names.empty()) {
    return {};
  }
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  for (const std::string& volume : names) {
    if (const LvmVolume* there = group.find(volume); there != nullptr && context_->holds(*there)) {
      TRY(put_away(*there));
    }
  }
  return {};
}

Result<void> LvmStore::put_away(const LvmVolume& there) {
  if (there.open) {
    return store_rules::in_use(there.name);
  }
  TRY(context_->use().set_activated(there.name, false));
  if (!there.active || there.kind == VolumeKind::golden) {
    return {};
  }
  TRY(context_->use().set_opened(there.name, true));  // from here on it is like one whose opener has gone
  return context_->settle(there.name, there.lv);
}

Result<void> LvmStore::recover() {
  const FileLock gate = TRY(context_->use().gate());
  TRY(context_->tidy());
  return {};
}

namespace {

std::vector<std::string> texts(const std::vector<LvmCommand>& commands) {
  std::vector<std::string> all;
  std::ranges::transform(commands, std::back_inserter(all), command_text);
  return all;
}

}  // namespace

std::vector<std::string> LvmStore::plan_create(std::string_view volume, std::uint64_t size) const {
  const LvmCommands& commands = context_->commands();
  if (context_->pool_zeroes()) {
    return texts({commands.create(LvmCommands::staging(volume), size)});
  }
  const std::string half = fmt::format("{}{}", volume, suffix_new);
  std::vector<std::string> all = texts({commands.create(half, size), commands.activate(half)});
  all.push_back(fmt::format("blkdiscard --zeroout {}", commands.device(half)));
  std::ranges::copy(texts({commands.deactivate(half), commands.rename(half, LvmCommands::staging(volume))}),
                    std::back_inserter(all));
  return all;
}

std::vector<std::string> LvmStore::plan_clone(std::string_view origin, std::span<const std::string> names) const {
  std::vector<std::string> lvs;
  std::ranges::transform(names, std::back_inserter(lvs),
                         [this](const std::string& volume) { return context_->commands().fresh(volume); });
  if (context_->batches(lvs.size())) {
    return context_->batch().plan_clone(origin, lvs);
  }
  std::vector<LvmCommand> commands;
  commands.reserve(lvs.size());
  for (const std::string& lv : lvs) {
    commands.push_back(context_->commands().snapshot(origin, lv));
  }
  return texts(commands);
}

std::vector<std::string> LvmStore::plan_seal(std::string_view volume) const {
  return texts({context_->commands().rename(LvmCommands::staging(volume), volume), context_->commands().seal(volume)});
}

std::vector<std::string> LvmStore::plan_reset(std::string_view origin, std::span<const std::string> names) const {
  if (context_->batches(names.size())) {
    return context_->batch().plan_reset(origin, names);
  }
  std::vector<LvmCommand> commands;
  for (const std::string& volume : names) {
    commands.push_back(context_->commands().snapshot(origin, fmt::format("{}{}", volume, suffix_reset)));
  }
  std::ranges::copy(context_->commands().remove(names), std::back_inserter(commands));
  for (const std::string& volume : names) {
    commands.push_back(
        context_->commands().rename(fmt::format("{}{}", volume, suffix_reset), context_->commands().fresh(volume)));
  }
  return texts(commands);
}

std::vector<std::string> LvmStore::plan_remove(std::span<const std::string> names) const {
  return context_->batches(names.size()) ? context_->batch().plan_remove(names)
                                         : texts(context_->commands().remove(names));
}

}  // namespace domsmith
