// One volume group (and pool) as the LVM store and its open volumes share it: run commands, report, tidy up.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/journal.h"
#include "base/result.h"
#include "lvm-snapshots/lvm_batch.h"
#include "lvm-snapshots/lvm_commands.h"
#include "lvm-snapshots/lvm_library.h"
#include "lvm-snapshots/lvm_report.h"
#include "lvm-snapshots/lvm_use.h"

namespace domsmith {

class LvmContext {
 public:
  // `run`: lvm_use.h; `state`: journals of batches, which a restart of the host must not take away.
  LvmContext(std::string group, std::string pool, const std::filesystem::path& run = "/run/lock/domsmith",
             const std::filesystem::path& state = "/var/lib/domsmith/lvm");

  [[nodiscard]] std::string name() const;  // "lvm:vg0/pool"
  [[nodiscard]] const LvmCommands& commands() const { return commands_; }
  [[nodiscard]] const LvmUse& use() const { return use_; }
  [[nodiscard]] LvmBatch& batch() { return batch_; }
  // Whether that many volumes are worth a batch, in a group that can take one as far as report() has seen it.
  [[nodiscard]] bool batches(std::size_t count) const;
  // Whether it can take one of any size.
  [[nodiscard]] bool batches() const { return commands_.thin() && one_by_one_.empty(); }
  [[nodiscard]] std::string why_one_by_one() const;  // empty: batches are possible, or nobody has looked
  // Whether a new volume reads as zeroes from its first moment, as far as report() has seen the pool (lvmthin(7),
  // "Zeroing"). Where it does not, its chunks hold what others have written.
  [[nodiscard]] bool pool_zeroes() const { return commands_.thin() && pool_zeroes_; }

  // What LVM knows now. denied, unsupported, not_found (group, pool).
  Result<LvmGroup> report();
  // With the gate held: takes away what dead processes left, then reports.
  Result<LvmGroup> tidy();

  Result<void> run(const LvmCommand& command, const std::string& headline);
  // All of them, LVM's metadata backup with the last; stops at the first that fails.
  Result<void> run_all(const std::vector<LvmCommand>& commands, const std::string& headline);

  // With the gate held: a note that something is being written into these fresh clones (LVM's names). Where its process
  // dies, or ends it without finish(), tidy() makes those that are fresh still anew: nobody knows what is in them.
  Result<Operation> begin_settling(std::span<const std::string> lvs) const;
  // Whether a fresh clone (LVM's name) could not be made anew by the last tidy(), for want of room in the pool.
  [[nodiscard]] bool half_written(const std::string& lv) const { return half_written_.contains(lv); }

  // With the gate held: deactivates a volume that was activated to be opened, once nobody has it open any more.
  // `lv`: LVM's name of it.
  Result<void> settle(std::string_view name, std::string_view lv);

  // Whether the volume is this store's: ours, complete, and in this pool (or in none, for classic volumes).
  [[nodiscard]] bool holds(const LvmVolume& volume) const;
  [[nodiscard]] Result<const LvmVolume*> lookup(const LvmGroup& group, std::string_view name) const;
  // In use as store.h means it: open, activated, or (thin) made active by somebody else's lvchange.
  [[nodiscard]] Result<bool> in_use(const LvmVolume& volume) const;

 private:
  Result<void> check_host();
  Result<LvmOutcome> command(const LvmCommand& command);
  Result<std::optional<LvmGroup>> report_past_lvm();
  Result<LvmGroup> report_unchecked();
  Result<void> check_pool(const LvmGroup& group) const;
  Result<bool> finish_half_made(const LvmGroup& group);
  Result<bool> renew_half_settled();
  Result<bool> renew_in_one_batch(const LvmGroup& group, const std::vector<std::string>& lvs);
  Result<void> renew(const LvmGroup& group, const std::vector<std::string>& lvs);
  Result<void> settle_thin(std::string_view name, std::string_view lv);
  Result<void> settle_classic(std::string_view name);
  Result<bool> family_idle(const LvmGroup& group, std::string_view root) const;

  LvmCommands commands_;
  std::shared_ptr<LvmGroupReader> reader_;
  LvmUse use_;
  LvmBatch batch_;
  Journal settling_;
  std::string one_by_one_;
  bool pool_zeroes_ = true;
  std::set<std::string> half_written_;
  std::optional<std::pair<std::uint64_t, LvmGroup>> seen_;  // the reader's generation, and what its text says
  bool host_checked_ = false;
  std::shared_ptr<LvmLibrary> library_;  // from the first command on: it takes as long to start as a command
};

}  // namespace domsmith
