#include "lvm-snapshots/lvm_settings.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_program.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::array settings_asked_for = {"global/locking_dir", "global/metadata_read_only", "activation/udev_sync",
                                           "backup/backup",      "backup/backup_dir",         "backup/archive",
                                           "backup/archive_dir", "backup/retain_min",         "backup/retain_days"};

// Of a file that is replaced or written anew, at least one of these is another.
std::string stamp_of(const fs::path& file) {
  struct stat there{};
  if (::stat(file.c_str(), &there) != 0) {
    return fmt::format("# {} -\n", file.string());
  }
  return fmt::format("# {} {} {} {} {}.{:09}\n", file.string(), there.st_dev, there.st_ino, there.st_size,
                     there.st_mtim.tv_sec, there.st_mtim.tv_nsec);
}

// LVM and every file that it may read its settings from (lvm.conf, lvmlocal.conf, those of host tags, profiles).
std::string stamps() {
  const char* elsewhere = std::getenv("LVM_SYSTEM_DIR");
  const fs::path folder = elsewhere == nullptr ? "/etc/lvm" : elsewhere;
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path extension = it->path().extension();
    if (extension == ".conf" || extension == ".profile") {
      files.push_back(it->path());
    }
  }
  std::ranges::sort(files);
  std::string all = "# " + folder.string() + "\n";
  if (const auto program = lvm_program("lvmconfig")) {
    files.insert(files.begin(), *program);
  }
  for (const fs::path& file : files) {
    all += stamp_of(file);
  }
  return all;
}

}  // namespace

Result<LvmSettings> parse_lvm_settings(std::string_view printed) {
  const LvmConfigNode root = TRY(parse_lvm_config(printed, "lvmconfig"));
  for (const char* key : settings_asked_for) {
    if (root.find(fs::path(key).filename().string()) == nullptr) {
      return fail(ErrorCode::failed, fmt::format("cannot find out LVM's setting {}", key), "try 'lvmconfig'");
    }
  }
  LvmSettings settings;
  settings.locking_dir = root.text_of("locking_dir").value_or("");
  settings.read_only = root.number_of("metadata_read_only").value_or(0) != 0;
  settings.udev_sync = root.number_of("udev_sync").value_or(0) != 0;
  settings.backup = root.number_of("backup").value_or(0) != 0;
  settings.backup_dir = root.text_of("backup_dir").value_or("");
  settings.archive = root.number_of("archive").value_or(0) != 0;
  settings.archive_dir = root.text_of("archive_dir").value_or("");
  settings.retain_min = root.number_of("retain_min").value_or(0);
  settings.retain_days = root.number_of("retain_days").value_or(0);
  if (!settings.locking_dir.is_absolute()) {
    return fail(ErrorCode::failed, "cannot find out where LVM keeps its locks", "try 'lvmconfig --typeconfig full'");
  }
  return settings;
}

Result<LvmSettings> lvm_settings(const fs::path& cache) {
  const std::string key = stamps();
  if (const auto kept = read_file(cache); kept && kept->starts_with(key)) {
    if (auto settings = parse_lvm_settings(std::string_view(*kept).substr(key.size()))) {
      return settings;
    }
  }
  // Where a host has no lvm.conf, lvmconfig 2.03.16 has no tree to show the full settings of: an empty section is one.
  LvmCommand command = {"lvmconfig", "--typeconfig", "full", "--config", "global{} activation{} backup{}"};
  command.insert(command.end(), settings_asked_for.begin(), settings_asked_for.end());
  const std::string printed = TRY(run_lvm_program(command));
  LvmSettings settings = TRY(parse_lvm_settings(printed));
  TRY(write_file_atomic(cache, key + printed, 0600));
  return settings;
}

}  // namespace domsmith
