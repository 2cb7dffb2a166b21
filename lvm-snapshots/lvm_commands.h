// The LVM commands of each verb, as values: what runs is what --plan prints. See lvcreate(8), lvchange(8), lvmthin(7).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lvm-snapshots/lvm_library.h"

namespace domsmith {

// All volumes have the activation-skip flag (-ky): nothing that starts "all LVs" brings them up by accident; -K
// overrides.
// Names are LVM's.
struct LvmCommands {
  std::string group;
  std::string pool;  // empty: classic volumes

  [[nodiscard]] bool thin() const { return !pool.empty(); }
  [[nodiscard]] std::string path(std::string_view name) const { return group + "/" + std::string(name); }
  [[nodiscard]] std::string device(std::string_view name) const { return "/dev/" + path(name); }
  // The kernel's name of a volume: "vg0-web--1".
  [[nodiscard]] std::string device_name(std::string_view name) const;
  [[nodiscard]] std::string mapper(std::string_view name) const { return "/dev/mapper/" + device_name(name); }
  // The kernel's name of the pool, which takes messages: "vg0-pool-tpool".
  [[nodiscard]] std::string pool_target() const;
  // LVM's name of a clone that is new or was reset. Classic ones are settled at once: activating one activates all.
  [[nodiscard]] std::string fresh(std::string_view name) const;

  // LVM's name of a volume that is being written, until it is sealed or adopted.
  [[nodiscard]] static std::string staging(std::string_view name);

  [[nodiscard]] LvmCommand create(std::string_view name, std::uint64_t size) const;
  // Classic snapshots get as much room as their origin has (100%ORIGIN), so that they never overflow: an overflown one
  // is lost, and guests write until the end of their disk.
  [[nodiscard]] LvmCommand snapshot(std::string_view origin, std::string_view name) const;
  [[nodiscard]] LvmCommand seal(std::string_view name) const;
  [[nodiscard]] LvmCommand adopt(std::string_view name) const;
  [[nodiscard]] LvmCommand resize(std::string_view name, std::uint64_t size) const;
  [[nodiscard]] LvmCommand extend_pool(std::uint64_t bytes) const;
  [[nodiscard]] LvmCommand activate(std::string_view name) const;
  [[nodiscard]] LvmCommand deactivate(std::string_view name) const;
  // Of at most 50 in one command: LVM takes 64 words (MAX_ARGS).
  [[nodiscard]] LvmCommand activate(std::span<const std::string> names) const;
  [[nodiscard]] LvmCommand deactivate(std::span<const std::string> names) const;
  [[nodiscard]] LvmCommand rename(std::string_view from, std::string_view to) const;
  // Several commands where there are many names.
  [[nodiscard]] std::vector<LvmCommand> remove(std::span<const std::string> names) const;

 private:
  void add_paths(LvmCommand& command, std::span<const std::string> names) const;
};

// A name of LVM's as device-mapper names hold it, with each dash doubled (libdm, dm_build_dm_name).
std::string dashes_doubled(std::string_view name);
// What stands behind "GROUP-" in a device's name ("web--1-real"); nullopt: it is no device of that group.
std::optional<std::string_view> behind_group(std::string_view device, std::string_view group);

// The same without LVM's backup of the metadata (vgcfgbackup(8)): for all but the last command of a series.
LvmCommand without_backup(LvmCommand command);

}  // namespace domsmith
