#include "lvm-snapshots/lvm_flush.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file.h"
#include "lvm-snapshots/lvm_commands.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    all.push_back(entry.path());
  }
  return all;
}

bool is_of_group(const fs::path& device, std::string_view group) {
  const auto name = read_file(device / "dm/name");
  return name && behind_group(*name, group).has_value();
}

// sysfs has '!' for the '/' in a device's name.
fs::path node_of(std::string name) {
  std::ranges::replace(name, '!', '/');
  return fs::path("/dev") / name;
}

}  // namespace

std::vector<fs::path> disks_below(std::string_view group, const fs::path& sysfs) {
  std::set<std::string> own, below;
  for (const fs::path& device : entries(sysfs / "block")) {
    const std::string name = device.filename();
    if (!name.starts_with("dm-") || !is_of_group(device, group)) {
      continue;
    }
    own.insert(name);
    for (const fs::path& slave : entries(device / "slaves")) {
      below.insert(slave.filename());
    }
  }
  std::vector<fs::path> disks;
  for (const std::string& name : below) {
    if (!own.contains(name)) {
      disks.push_back(node_of(name));
    }
  }
  return disks;
}

Result<void> flush_disks(std::string_view group) {
  for (const fs::path& disk : disks_below(group)) {
    const Fd fd = TRY(open_fd(disk.string(), O_RDONLY));
    if (::fsync(fd.get()) != 0) {
      return fail_errno(fmt::format("cannot have {} keep what LVM wrote", disk.string()), errno);
    }
  }
  return {};
}

}  // namespace domsmith
