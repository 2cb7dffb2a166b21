// A store in a volume group: thin volumes and thin snapshots of a pool (lvmthin(7)), or, without a pool, classic
// volumes and snapshots. Everything is plain LVM: lvs shows it, and it can be used without domsmith.
//
// A volume that is being written is called NAME.staging until it is sealed or adopted: what has its final name is
// whole.
//
// Classic volumes: create() zeroes the whole volume, which takes as long as writing it. A snapshot gets as much room as
// its origin, so it cannot overflow; activating one activates its origin (read-only) and the origin's other snapshots,
// for LVM knows no other way.
#pragma once

#include <functional>
#include <memory>

#include "lvm-snapshots/lvm_context.h"
#include "lvm-snapshots/store.h"

namespace domsmith {

class LvmStore final : public VolumeStore {
 public:
  explicit LvmStore(std::shared_ptr<LvmContext> context) : context_(std::move(context)) {}

  [[nodiscard]] std::string name() const override { return context_->name(); }
  Result<StoreStatus> status() override;
  Result<std::vector<VolumeInfo>> list() override;
  Result<VolumeInfo> find(std::string_view name) override;
  Result<StoreSurvey> survey() override;
  Result<std::uint64_t> grow(std::uint64_t bytes) override;
  Result<std::vector<std::optional<std::uint64_t>>> changed_bytes(std::span<const std::string> names) override;
  Result<VolumeInfo> create(std::string_view name, std::uint64_t size) override;
  Result<std::unique_ptr<BlockTarget>> open(std::string_view name, Access access) override;
  Result<void> seal(std::string_view name) override;
  Result<void> clone(std::string_view origin, std::span<const std::string> names) override;
  Result<void> reset(std::span<const std::string> names) override;
  Result<void> remove(std::span<const std::string> names) override;
  Result<void> settle(std::span<const std::string> names, Settled then, const Fill& fill) override;
  [[nodiscard]] bool makes_fresh() const override { return context_->commands().thin(); }
  Result<void> adopt(std::string_view name, std::string_view origin) override;
  Result<void> resize(std::string_view name, std::uint64_t size) override;
  Result<void> activate(std::string_view name) override;
  Result<void> deactivate(std::string_view name) override;
  Result<void> deactivate_all(std::span<const std::string> names) override;
  Result<void> recover() override;
  [[nodiscard]] std::vector<std::string> plan_create(std::string_view name, std::uint64_t size) const override;
  [[nodiscard]] std::vector<std::string> plan_clone(std::string_view origin,
                                                    std::span<const std::string> names) const override;
  [[nodiscard]] std::vector<std::string> plan_remove(std::span<const std::string> names) const override;
  [[nodiscard]] std::vector<std::string> plan_adopt(std::string_view name, std::string_view origin) const override;
  [[nodiscard]] std::vector<std::string> plan_resize(std::string_view name, std::uint64_t size) const override;
  [[nodiscard]] std::vector<std::string> plan_seal(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string> plan_reset(std::string_view origin,
                                                    std::span<const std::string> names) const override;

 private:
  [[nodiscard]] VolumeInfo info(const LvmVolume& volume, bool activated) const;
  Result<void> check_free_name(const LvmGroup& group, std::string_view name) const;
  Result<void> check_room(const LvmGroup& group, std::uint64_t size, std::size_t count) const;
  void add_limits(const LvmGroup& group, StoreStatus& status) const;
  Result<void> put_away(const LvmVolume& there);  // with the gate held
  Result<void> check_idle(const LvmVolume& volume) const;
  Result<void> check_removable(const LvmGroup& group, std::span<const std::string> names) const;
  // Makes all snapshots or none; (origin, name) pairs.
  using Snapshots = std::vector<std::pair<std::string, std::string>>;
  Result<void> make_snapshots(const Snapshots& snapshots, const std::string& headline);
  // false: LVM's own commands must do it.
  using Batch = std::function<Result<LvmBatch::Refusal>(LvmBatch&)>;
  Result<bool> in_batch(const Batch& batch);
  Result<bool> in_one_batch(std::size_t count, const Batch& batch);  // where that many are worth one
  // What a reset makes of an LV (LVM's names): the same volume on a new snapshot, under its name as a fresh one.
  using Renames = std::vector<std::pair<std::string, std::string>>;
  Result<void> reset_one_by_one(const Renames& renames, const Snapshots& snapshots);
  Result<void> remove_clones(std::span<const std::string> lvs);
  // With the gate held.
  Result<void> settle_some(std::span<const std::string> names, Settled then, const Fill& fill);
  Result<void> fill_some(const LvmGroup& group, std::span<const std::string> names, const Fill& fill);
  Result<void> fill_one(const std::string& volume, const std::string& path, const Fill& fill);
  Result<void> name_settled(LvmBatch::Renames renames);
  Result<void> name_whole(const LvmVolume& there, const std::string& headline);
  Result<void> create_zeroed(FileLock gate, std::string_view name, std::uint64_t size);
  Result<void> zero(std::string_view name);
  Result<void> add_pool_strays(std::vector<StoreStray>& strays);

  std::shared_ptr<LvmContext> context_;
};

// pool empty: classic volumes. Nothing is looked at before the first verb.
Result<std::unique_ptr<VolumeStore>> open_lvm_store(const std::string& group, const std::string& pool);

}  // namespace domsmith
