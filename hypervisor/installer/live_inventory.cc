#include "hypervisor/installer/live_inventory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view guid_begin = "d0351171-0000-4000-8000-00000000000";
constexpr std::uint64_t sector = 512;  // of /sys/block/*/size, whatever the disk's own is
constexpr std::uint64_t small = 1U << 20;
constexpr std::chrono::minutes patience{2};

std::string word_of(const fs::path& file) { return trimmed(read_file(file, small).value_or("")); }

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

using Properties = std::map<std::string, std::string>;

// /run/udev/data/bMAJOR:MINOR: "E:KEY=value" lines, udev's own.
Properties udev_properties(const fs::path& root, const std::string& numbers) {
  Properties properties;
  for (const std::string& line : split_lines(read_file(root / "run/udev/data" / ("b" + numbers), small).value_or(""))) {
    const auto equals = line.find('=');
    if (line.starts_with("E:") && equals != std::string::npos) {
      properties[line.substr(2, equals - 2)] = line.substr(equals + 1);
    }
  }
  return properties;
}

std::string first_of(const Properties& properties, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (const auto found = properties.find(key); found != properties.end() && !found->second.empty()) {
      return found->second;
    }
  }
  return {};
}

std::string bus_of(const std::string& name, const Properties& properties) {
  for (const auto& [prefix, bus] : {std::pair{"nvme", "nvme"}, {"vd", "virtio"}, {"mmc", "mmc"}, {"xvd", "xen"}}) {
    if (name.starts_with(prefix)) {
      return bus;
    }
  }
  const std::string bus = first_of(properties, {"ID_BUS"});
  return bus == "ata" ? "sata" : bus.empty() ? "scsi" : bus;
}

bool is_disk(const std::string& name) {
  constexpr const char* others[] = {"loop", "dm-", "md", "sr", "ram", "zram", "fd", "nbd"};
  return std::ranges::none_of(others, [&](const char* prefix) { return name.starts_with(prefix); });
}

// A disk that is broken may never answer.
Result<Finished> looked_at(std::vector<std::string> argv) {
  argv[0] = TRY(find_program(argv[0]));
  Command command{.argv = std::move(argv), .environment = {}, .working_directory = {}};
  return TRY_AS(run(command, {.input = {}, .timeout = patience}),
                fmt::format("cannot look at the disks: {}", command.display()));
}

Result<std::string> blkid(const std::string& device) {
  const Finished done = TRY(looked_at({"blkid", "-p", "-o", "export", device}));
  // 2: nothing was found (blkid(8), "EXIT STATUS"); 8: several, which -p tells of too.
  return done.status.code == 0 || done.status.code == 8 ? done.out : std::string();
}

// The volume group of each physical volume.
Result<std::map<std::string, std::string>> volume_groups() {
  std::map<std::string, std::string> groups;
  const Finished done = TRY(looked_at({"lvm", "pvs", "--noheadings", "-o", "pv_name,vg_name"}));
  for (const std::string& line : split_lines(done.out)) {
    const std::string text = trimmed(line);
    const auto space = text.find(' ');
    if (space != std::string::npos) {
      groups[text.substr(0, space)] = trimmed(text.substr(space));
    }
  }
  return groups;
}

struct Probe {
  std::vector<Signature> holds;
  std::string table_id;
};

Result<Probe> probe(const std::string& device, const std::map<std::string, std::string>& groups) {
  const std::string text = TRY(blkid(device));
  Probe found{.holds = signatures_of_blkid(text), .table_id = {}};
  for (Signature& one : found.holds) {
    const auto group = groups.find(device);
    if (one.type == "LVM2_member" && group != groups.end()) {
      one.name = group->second;
    }
  }
  for (const std::string& line : split_lines(text)) {
    if (line.starts_with("PTUUID=")) {
      found.table_id = line.substr(7);
    }
  }
  return found;
}

Result<InventoryDisk> read_disk(const fs::path& root, const std::string& name,
                                const std::map<std::string, std::string>& groups) {
  const fs::path sys = root / "sys/block" / name;
  const Properties properties = udev_properties(root, word_of(sys / "dev"));
  InventoryDisk disk{.path = "/dev/" + name,
                     .size = number_of(word_of(sys / "size")) * sector,
                     .bus = bus_of(name, properties),
                     .model = trimmed(first_of(properties, {"ID_MODEL"})),
                     .serial = first_of(properties, {"ID_SERIAL_SHORT", "ID_SERIAL"}),
                     .wwn = first_of(properties, {"ID_WWN_WITH_EXTENSION", "ID_WWN"}),
                     .read_only = word_of(sys / "ro") == "1",
                     .removable = word_of(sys / "removable") == "1",
                     .holds = {},
                     .partitions = {}};
  if (disk.serial.empty()) {
    disk.serial = word_of(sys / "serial");
  }
  Probe whole = TRY(probe(disk.path, groups));
  disk.holds = std::move(whole.holds);
  disk.unfinished = whole.table_id.starts_with(guid_begin);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(sys, error)) {
    const std::string part = entry.path().filename().string();
    if (part.starts_with(name) && fs::exists(entry.path() / "partition")) {
      disk.partitions.push_back({.path = "/dev/" + part,
                                 .size = number_of(word_of(entry.path() / "size")) * sector,
                                 .holds = TRY(probe("/dev/" + part, groups)).holds});
    }
  }
  std::ranges::sort(disk.partitions, {}, &InventoryPartition::path);
  return disk;
}

// The whole disk under what is mounted at /media: the medium itself.
std::string medium_disk(const fs::path& root) {
  struct stat info{};
  if (::stat((root / "media/domsmith").c_str(), &info) != 0) {
    return {};
  }
  std::error_code error;
  const fs::path device =
      fs::canonical(root / "sys/dev/block" / fmt::format("{}:{}", major(info.st_dev), minor(info.st_dev)), error);
  if (error) {
    return {};
  }
  return fs::exists(device / "partition") ? device.parent_path().filename().string() : device.filename().string();
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::uint64_t memory_of(const fs::path& root) {
  for (const std::string& line : split_lines(word_of(root / "proc/meminfo"))) {
    if (line.starts_with("MemTotal:")) {
      return number_of(trimmed(line.substr(9))) << 10;
    }
  }
  return 0;
}

}  // namespace

std::string unfinished_guid(std::size_t number) { return fmt::format("{}{}", guid_begin, number % 10); }

std::vector<Signature> signatures_of_blkid(std::string_view text) {
  Properties keys;
  for (const std::string& line : split_lines(text)) {
    if (const auto equals = line.find('='); equals != std::string::npos) {
      keys[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  std::vector<Signature> found;
  if (keys.contains("PTTYPE")) {
    found.push_back({.type = keys["PTTYPE"], .name = ""});
  }
  if (keys.contains("TYPE")) {
    found.push_back({.type = keys["TYPE"], .name = keys["LABEL"]});
  }
  return found;
}

Result<Inventory> live_inventory(const fs::path& root) {
  Inventory inventory;
  std::error_code ignored;
  inventory.uefi = fs::exists(root / "sys/firmware/efi", ignored);
  inventory.memory = memory_of(root);
  const auto groups = TRY(volume_groups());
  const std::string medium = medium_disk(root);
  for (const std::string& name : names_in(root / "sys/block")) {
    if (is_disk(name) && name != medium && number_of(word_of(root / "sys/block" / name / "size")) != 0) {
      inventory.disks.push_back(TRY(read_disk(root, name, groups)));
    }
  }
  for (const std::string& name : names_in(root / "sys/class/net")) {
    if (fs::exists(root / "sys/class/net" / name / "device", ignored) && !name.starts_with("vif")) {
      inventory.cards.push_back({.name = name, .mac = word_of(root / "sys/class/net" / name / "address")});
    }
  }
  return inventory;
}

}  // namespace domsmith
