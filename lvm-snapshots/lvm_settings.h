// What of LVM's own settings (lvm.conf(5)) concerns who writes a group's metadata past its commands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

struct LvmSettings {
  std::filesystem::path locking_dir;  // global/locking_dir
  bool read_only = false;             // global/metadata_read_only
  bool udev_sync = false;             // activation/udev_sync: udev has rules for volumes, and ends what waits for it
  bool backup = false;                // backup/backup, backup_dir
  std::filesystem::path backup_dir;
  bool archive = false;  // backup/archive, archive_dir, retain_min (files), retain_days
  std::filesystem::path archive_dir;
  std::uint64_t retain_min = 0;
  std::uint64_t retain_days = 0;
};

// What lvmconfig(8) prints for them, "KEY=VALUE" a line. failed: a key is missing.
Result<LvmSettings> parse_lvm_settings(std::string_view printed);

// As lvmconfig says now. It takes as long as a whole command of LVM, so its answer is kept in the file `cache`, for as
// long as neither LVM nor any of its configuration files has changed.
Result<LvmSettings> lvm_settings(const std::filesystem::path& cache);

}  // namespace domsmith
