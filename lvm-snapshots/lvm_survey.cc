// LvmStore::survey(): the volumes, and what LVM and the kernel have beside them.
#include <fmt/format.h>

#include "lvm-snapshots/lvm_kernel.h"
#include "lvm-snapshots/lvm_store.h"

namespace domsmith {

namespace {

void add_half_made(const LvmVolume& volume, std::vector<StoreStray>& strays) {
  const bool is_new = volume.name.ends_with(suffix_new);
  if (is_new || volume.name.ends_with(suffix_reset)) {
    strays.push_back({.subject = volume.name,
                      .text = is_new ? "a volume that was not zeroed to its end" : "a volume that a reset left",
                      .recoverable = true,
                      .remedy = {}});
    return;
  }
  strays.push_back(
      {.subject = volume.name,
       .text = fmt::format("a volume with the tag '{}' that does not say what it is", lvm_tag::ours),
       .recoverable = false,
       .remedy = fmt::format("give it its second tag again (lvchange --addtag {}), or remove the first: lvchange "
                             "--deltag {}",
                             lvm_tag::clone, lvm_tag::ours)});
}

}  // namespace

Result<StoreSurvey> LvmStore::survey() {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->report());
  const auto activated = context_->use().all_activated();
  StoreSurvey survey;
  for (const LvmVolume& volume : group.volumes) {
    if (context_->holds(volume)) {
      survey.volumes.push_back(info(volume, activated.contains(volume.name)));
    } else if (volume.ours && !volume.kind && !TRY(context_->use().held(volume.name))) {
      add_half_made(volume, survey.strays);
    }
  }
  for (const std::string& left : TRY(context_->use().left_open())) {
    survey.strays.push_back(
        {.subject = left, .text = "a volume that its opener left when it died", .recoverable = true, .remedy = {}});
  }
  for (const std::string& device : without_volume(TRY(mapped_names()), group)) {
    survey.strays.push_back({.subject = device,
                             .text = fmt::format("a device of the kernel whose volume VG {} does not have", group.name),
                             .recoverable = false,
                             .remedy = fmt::format("when nobody uses it: dmsetup remove {}", device)});
  }
  TRY(add_pool_strays(survey.strays));
  return survey;
}

// Devices are compared by the pool's own metadata: nothing is activated, nothing read.
Result<std::vector<std::optional<std::uint64_t>>> LvmStore::changed_bytes(std::span<const std::string> names) {
  if (!context_->commands().thin()) {
    return VolumeStore::changed_bytes(names);
  }
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->report());
  std::vector<std::string> lvs;
  for (const std::string& volume : names) {
    lvs.push_back(TRY(context_->lookup(group, volume))->lv);
  }
  return context_->batch().differences(lvs);
}

Result<void> LvmStore::add_pool_strays(std::vector<StoreStray>& strays) {
  if (!context_->commands().thin()) {
    return {};
  }
  LvmBatch& batch = context_->batch();
  if (TRY(batch.unfinished())) {
    strays.push_back({.subject = context_->commands().pool,
                      .text = "a batch of volumes that was cut off",
                      .recoverable = true,
                      .remedy = {}});
    return {};  // whose devices are what strangers() would find
  }
  const auto strangers = TRY(batch.strangers());
  if (!strangers) {
    return {};
  }
  const LvmCommands& commands = context_->commands();
  for (const ThinDeviceId device : *strangers) {
    strays.push_back(
        {.subject = fmt::format("device {}", device),
         .text = fmt::format("a device in thin pool {} that no volume has", commands.path(commands.pool)),
         .recoverable = false,
         .remedy = fmt::format("if it is nobody's: dmsetup message {} 0 'delete {}'", commands.pool_target(), device)});
  }
  return {};
}

}  // namespace domsmith
