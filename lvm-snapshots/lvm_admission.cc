// What a volume group and its pool can run out of, and making the pool larger.
#include <algorithm>

#include "base/fail_point.h"
#include "lvm-snapshots/lvm_metadata.h"
#include "lvm-snapshots/lvm_store.h"

namespace domsmith {

namespace {

// A clone with its identity: 128 KiB of data at most; a node of the pool's trees for itself and
// for each path that its first writes copy (4 KiB each; thin-provisioning.rst); its text in LVM's metadata, which is
// written beside the old one. A classic snapshot is two volumes for LVM.
constexpr std::uint64_t identity_bytes = 128U << 10;
constexpr std::uint64_t pool_metadata_each = 16U << 10;
constexpr std::uint64_t text_each = 512;
constexpr std::uint64_t text_each_classic = 1024;

std::uint64_t left_of(std::uint64_t size, double used_percent) {
  return static_cast<std::uint64_t>(static_cast<double>(size) * std::max(0.0, 100.0 - used_percent) / 100.0);
}

}  // namespace

void LvmStore::add_limits(const LvmGroup& group, StoreStatus& status) const {
  const bool thin = context_->commands().thin();
  const StoreLimit text{.what = "VG metadata text",
                        .size = 0,
                        .free = group.metadata_free,
                        .bytes = true,
                        .each = thin ? text_each : text_each_classic};
  if (!thin) {
    status.limits = {{.what = "free space of the VG", .size = group.size, .free = group.free}, text};
    return;
  }
  status.can_grow = group.free;
  const LvmVolume* pool = group.find(context_->commands().pool);
  if (!pool->active) {
    status.limits = {text};  // how full it is shows when it is active
    return;
  }
  const auto volumes = static_cast<std::uint64_t>(
      std::ranges::count_if(group.volumes, [&](const LvmVolume& volume) { return volume.pool == pool->name; }));
  status.limits = {{.what = "pool data",
                    .size = pool->size,
                    .free = left_of(pool->size, pool->data_percent.value_or(0.0)),
                    .bytes = true,
                    .each = identity_bytes},
                   {.what = "pool metadata",
                    .size = pool->metadata_size,
                    .free = left_of(pool->metadata_size, pool->metadata_percent.value_or(0.0)),
                    .bytes = true,
                    .each = pool_metadata_each},
                   text,
                   // LVM itself gives out the highest + 1 alone; a batch takes the gaps below it too.
                   {.what = "device numbers",
                    .size = highest_device_id,
                    .free = highest_device_id - std::min<std::uint64_t>(volumes, highest_device_id),
                    .bytes = false,
                    .each = 1}};
}

Result<std::uint64_t> LvmStore::grow(std::uint64_t bytes) {
  if (!context_->commands().thin()) {
    return VolumeStore::grow(bytes);
  }
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->report());
  const std::uint64_t step = std::min(bytes, group.free);
  if (step == 0) {
    return std::uint64_t{0};
  }
  const std::uint64_t before = group.find(context_->commands().pool)->size;
  TRY(fail_point("lvm.grow.before"));
  TRY(context_->run(context_->commands().extend_pool(step), "cannot extend the thin pool"));
  TRY(fail_point("lvm.grow.after"));
  const LvmGroup now = TRY(context_->report());
  return now.find(context_->commands().pool)->size - before;
}

}  // namespace domsmith
