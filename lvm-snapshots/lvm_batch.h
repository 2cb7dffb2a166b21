// Any number of thin snapshots cloned, reset or removed by one change of the volume group's metadata, and the pool's
// transaction number stepped once. Why each crash is recovered: docs/decisions/0008-batch-transactions.md.
//
// All verbs are called with the store's gate held, on volumes that are not in use. Names are LVM's.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/journal.h"
#include "base/progress.h"
#include "lvm-snapshots/lvm_commands.h"
#include "lvm-snapshots/lvm_machine.h"
#include "lvm-snapshots/lvm_metadata.h"

namespace domsmith {

class LvmBatch {
 public:
  // Fewer volumes than this are not worth it: LVM's own commands are as fast.
  static constexpr std::size_t worth_it = 4;

  LvmBatch(std::unique_ptr<LvmMachine> machine, LvmCommands commands, const std::filesystem::path& journal)
      : machine_(std::move(machine)), commands_(std::move(commands)), journal_(journal) {}

  // nullopt: it is done. A text: why this group cannot take it; nothing was touched, LVM's own commands may try. After
  // an Error what was begun is undone (clone, and reset before its change of the metadata) or finished (remove, and
  // reset after it).
  using Refusal = std::optional<std::string>;
  Result<Refusal> clone(const std::string& origin, std::span<const std::string> names, Progress& progress);
  // Each volume gets a fresh snapshot of its origin, and its second name.
  using Renames = std::span<const std::pair<std::string, std::string>>;
  Result<Refusal> reset(Renames volumes, Progress& progress);
  Result<Refusal> remove(std::span<const std::string> names, Progress& progress);
  // Of volumes that are not active. One change of the metadata, with nothing before or after it.
  Result<Refusal> rename(Renames volumes);
  // Devices for volumes that are not active, for a moment: to LVM they are active, to udev they are nothing, so that
  // there is /dev/mapper/… alone (LvmCommands::mapper). What a crash leaves, LVM deactivates.
  Result<Refusal> map(std::span<const std::string> names);
  Result<void> unmap(std::span<const std::string> names);

  // Undoes or finishes what dead processes left. false: there was nothing.
  Result<bool> recover();

  // Whether a dead process left something for recover().
  [[nodiscard]] Result<bool> unfinished() const;
  // Devices of the pool that no volume of the group has; nullopt: that cannot be told now.
  Result<std::optional<std::set<ThinDeviceId>>> strangers();
  // For each volume, bytes in blocks that it does not share with its origin; nullopt: that cannot be told now, or it
  // has no origin.
  Result<std::vector<std::optional<std::uint64_t>>> differences(std::span<const std::string> names);

  // The commands that do the same by hand, for plans.
  [[nodiscard]] std::vector<std::string> plan_clone(std::string_view origin, std::span<const std::string> names) const;
  [[nodiscard]] std::vector<std::string> plan_reset(std::string_view origin, std::span<const std::string> names) const;
  [[nodiscard]] std::vector<std::string> plan_remove(std::span<const std::string> names) const;

 private:
  // The group under LVM's lock.
  struct View {
    std::shared_ptr<void> lock;
    LvmMetadata metadata;
    std::string pool;  // the kernel's device
  };
  struct Device {  // to be made
    ThinDeviceId id = 0;
    ThinDeviceId origin = 0;
  };

  static Refusal unusual(const std::string& name);
  Result<View> look();
  Result<Refusal> pool_refusal(const View& view);
  // `taken`: the numbers that new devices cannot have, those of devices that the group does not know among them.
  Result<Refusal> look_at_devices(const View& view, std::set<ThinDeviceId>& taken);
  // Something that is read while the pool's metadata are held; what a crash leaves of it is released.
  template <class T>
  Result<T> look_inside(const View& view, const std::function<Result<T>()>& read);
  Result<Operation> begin(std::string_view verb, const View& view, nlohmann::json parameters);
  Result<void> clone_steps(Operation& operation, View view, const std::string& origin,
                           std::span<const std::string> names, std::vector<Device> devices, Progress& progress);
  Result<void> reset_steps(Operation& operation, View view, Renames volumes, std::vector<Device> devices,
                           Progress& progress);
  Result<void> remove_steps(Operation& operation, View view, std::span<const std::string> names,
                            const std::string& last, Progress& progress);
  Result<Refusal> conclude(Operation& operation, Result<void> done);

  Result<void> make_devices(Operation& operation, const View& view, const std::vector<Device>& devices,
                            Progress& progress);
  Result<void> delete_devices(Operation& operation, const View& view, std::span<const ThinDeviceId> ids,
                              Progress& progress);
  Result<void> commit(Operation& operation, LvmMetadata& changed, std::span<const ThinDeviceId> freed);
  Result<void> write(LvmMetadata& changed);
  Result<Refusal> active_refusal(std::span<const std::string> names);

  Result<void> settle(const Operation& operation);
  Result<void> settle_devices(const Operation& operation);
  Result<void> send_messages(View& view);
  Result<void> take_out(View& view, const std::string& last);
  Result<void> take_back(const Operation& operation);
  [[nodiscard]] std::vector<std::string> plan(std::string_view message, std::size_t count) const;
  [[nodiscard]] std::string to_pool(std::string_view message, std::size_t count) const;
  [[nodiscard]] std::string rewrite() const;
  void add_step(std::vector<std::string>& lines, std::string_view message) const;

  std::unique_ptr<LvmMachine> machine_;
  LvmCommands commands_;
  Journal journal_;
};

}  // namespace domsmith
