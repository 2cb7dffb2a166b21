#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.h"
#include "provision/domain/config_reader.h"
#include "provision/domain/spec.h"

namespace domsmith {
namespace {

constexpr std::uint64_t max_memory_mib = 16ULL << 20;  // 16 TiB, Xen's limit of a host (SUPPORT.md)
constexpr unsigned max_vcpus = 128;                    // of a PVH guest (SUPPORT.md)
constexpr std::size_t max_path = 1024;                 // xenstore's limit of a value is 4096 (xs_wire.h)
constexpr std::size_t max_interface = 15;              // IFNAMSIZ - 1
// MAX_GUEST_CMDLINE of xen/public/xen.h; a PVH guest's ends at Linux's COMMAND_LINE_SIZE on x86.
constexpr std::size_t max_pv_cmdline = 1023;
constexpr std::size_t max_pvh_cmdline = 2047;

class Faults {
 public:
  explicit Faults(std::string subject) : subject_(std::move(subject)) {}
  void add(std::string what, std::string remedy = {}) {
    auto error = Error{.code = ErrorCode::bad_input,
                       .what = fmt::format("{}: {}", subject_, what),
                       .where = {},
                       .causes = {},
                       .remedy = std::move(remedy),
                       .others = {}};
    errors_.push_back(std::move(error));
  }
  template <class T>
  void add(const Result<T>& result) {
    if (!result) {
      add(result.error().what, result.error().remedy);
    }
  }
  Result<void> result() && {
    if (errors_.empty()) {
      return {};
    }
    Error first = std::move(errors_.front());
    first.others.assign(std::make_move_iterator(errors_.begin() + 1), std::make_move_iterator(errors_.end()));
    return std::unexpected(std::move(first));
  }

 private:
  std::string subject_;
  std::vector<Error> errors_;
};

bool is_word(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [&](char c) {
    return (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80) ||
           extra.find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// As it can stand in an error message: short, and one line.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 60)) {
    out += has_control(std::string_view(&c, 1)) ? '?' : c;
  }
  return text.size() > 60 ? out + "…" : out;
}

bool is_normal_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/') {
    return false;
  }
  std::size_t start = 1;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    start = end + 1;
  }
  return true;
}

void check_path(Faults& faults, std::string_view role, std::string_view path) {
  if (path.size() > max_path) {
    faults.add(fmt::format("the path of the {} is longer than {} bytes", role, max_path));
  } else if (has_control(path)) {
    faults.add(fmt::format("the path of the {} holds a control character: '{}'", role, shown(path)));
  } else if (!is_normal_path(path)) {
    faults.add(fmt::format("the path of the {} is not absolute and normal: '{}'", role, shown(path)),
               "write it from '/' on, without '.', '..' and doubled slashes");
  }
}

void check_uuid(Faults& faults, std::string_view uuid) {
  bool good = uuid.size() == 36;
  for (std::size_t i = 0; good && i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? uuid[i] == '-' : std::string_view("0123456789abcdef").find(uuid[i]) != std::string_view::npos;
  }
  if (!good) {
    faults.add(fmt::format("'{}' is not a UUID in lower case", shown(uuid)));
  }
}

void check_size(Faults& faults, const DomainSpec& spec) {
  if (spec.memory_mib < 1 || spec.maxmem_mib > max_memory_mib || spec.maxmem_mib < spec.memory_mib) {
    faults.add(fmt::format("memory {} MiB with a maximum of {} MiB cannot be", spec.memory_mib, spec.maxmem_mib),
               fmt::format("memory is at least 1 MiB, the maximum not below it and at most {} MiB", max_memory_mib));
  }
  if (spec.vcpus < 1 || spec.vcpus > max_vcpus) {
    faults.add(fmt::format("{} virtual CPUs cannot be", spec.vcpus), fmt::format("use 1 to {}", max_vcpus));
  }
}

void check_boot(Faults& faults, const DomainSpec& spec) {
  check_path(faults, "kernel", spec.kernel);
  if (!spec.ramdisk.empty()) {
    check_path(faults, "ramdisk", spec.ramdisk);
  }
  const auto limit = spec.type == DomainType::pv ? max_pv_cmdline : max_pvh_cmdline;
  if (spec.cmdline.size() > limit) {
    faults.add(fmt::format("the kernel command line has {} bytes, more than the {} that a {} guest is given",
                           spec.cmdline.size(), limit, spec.type == DomainType::pv ? "PV" : "PVH"));
  }
  if (!std::ranges::all_of(spec.cmdline, [](char c) { return c >= 0x20 && c < 0x7f; })) {
    faults.add("the kernel command line holds something else than printable ASCII");
  }
}

bool is_vdev(std::string_view vdev) {
  if (!vdev.starts_with("xvd") || vdev.size() > 8) {
    return false;
  }
  vdev.remove_prefix(3);
  const auto letters = static_cast<std::size_t>(
      std::ranges::find_if_not(vdev, [](char c) { return c >= 'a' && c <= 'z'; }) - vdev.begin());
  return letters >= 1 && letters <= 2 &&
         std::ranges::all_of(vdev.substr(letters), [](char c) { return c >= '0' && c <= '9'; });
}

void check_disks(Faults& faults, const std::vector<DomainDisk>& disks) {
  std::set<std::string> vdevs;
  std::set<std::string> targets;
  for (const auto& disk : disks) {
    check_path(faults, "disk", disk.target);
    // The path goes through xenstore into the shell script /etc/xen/scripts/block; and libxlutil cuts a comma off its
    // end.
    if (disk.target.find_first_of("\\\"'`$*?[]{}();&|<>!#") != std::string::npos || disk.target.ends_with(',') ||
        disk.target.ends_with(' ')) {
      faults.add(fmt::format("the path of the disk holds a character that Xen's scripts could misread: '{}'",
                             shown(disk.target)),
                 "use letters, digits, spaces inside and / . , _ - + = : @ % ~");
    }
    if (!is_vdev(disk.vdev)) {
      faults.add(fmt::format("'{}' is not a disk's name in a guest", shown(disk.vdev)), "use xvda, xvdb, xvda1, …");
    }
    if (!vdevs.insert(disk.vdev).second) {
      faults.add(fmt::format("two disks are called '{}'", shown(disk.vdev)));
    }
    if (!targets.insert(disk.target).second) {
      faults.add(fmt::format("'{}' is two disks at once", shown(disk.target)));
    }
  }
}

void check_vif_words(Faults& faults, const DomainVif& vif) {
  if (!vif.bridge.empty()) {
    faults.add(check_bridge(vif.bridge));
  }
  if (!vif.script.empty()) {
    faults.add(check_vif_script(vif.script));
  }
  if (!vif.rate.empty()) {
    faults.add(parse_vif_rate(vif.rate));
  }
}

void check_vifs(Faults& faults, const std::vector<DomainVif>& vifs) {
  std::set<std::string> macs;
  for (const auto& vif : vifs) {
    const auto mac = parse_mac(vif.mac);
    faults.add(mac);
    if (mac && *mac != vif.mac) {
      faults.add(fmt::format("MAC address {} is not in lower case", vif.mac));
    }
    if (!macs.insert(vif.mac).second) {
      faults.add(fmt::format("two interfaces have the MAC address {}", shown(vif.mac)));
    }
    check_vif_words(faults, vif);
  }
}

}  // namespace

Result<void> check_bridge(std::string_view bridge) {
  if (bridge.size() > max_interface || bridge.empty() || bridge.front() == '-' || bridge == "." || bridge == ".." ||
      !is_word(bridge, "._-")) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not the name of a bridge", shown(bridge)),
                fmt::format("a name has at most {} letters, digits, '.', '_' or '-'", max_interface));
  }
  return {};
}

Result<void> check_vif_script(std::string_view script) {
  const bool path = script.starts_with('/');
  if (script.empty() || script.size() > max_path || !is_word(script, path ? "._-+/" : "._-+") ||
      script.front() == '-' || (path && !is_normal_path(script))) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not the name of a vif script", shown(script)),
                "use the name of a file in /etc/xen/scripts, or an absolute path");
  }
  return {};
}

Result<VifRate> parse_vif_rate(std::string_view text) {
  // libxlutil's own expression takes any length of digits and reads a leading 0 as octal.
  if (text.size() > 32 || !is_word(text, "/@") || (text.starts_with('0') && text.size() > 1)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not a rate", shown(text)),
                "write it as 100Mb/s, or with an interval as 1MB/s@20ms");
  }
  return read_vif_rate(std::string(text));
}

Result<void> validate(const DomainSpec& spec) {
  Faults faults(fmt::format("domain '{}'", shown(spec.name)));
  if (const auto name = check_name("guest", spec.name); !name) {
    faults.add(fmt::format("the name cannot be a guest's: '{}'", shown(spec.name)), name.error().remedy);
  }
  check_uuid(faults, spec.uuid);
  check_size(faults, spec);
  check_boot(faults, spec);
  check_disks(faults, spec.disks);
  check_vifs(faults, spec.vifs);
  return std::move(faults).result();
}

}  // namespace domsmith
