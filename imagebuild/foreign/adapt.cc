#include "imagebuild/foreign/adapt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::foreign {
namespace {

constexpr std::uint64_t longest_file = 1U << 20;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (std::size_t at = line.find_first_not_of(" \t"); at != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return fields;
}

bool names_a_disk(const std::string& source) {
  return source.starts_with("/dev/") || source.starts_with("UUID=") || source.starts_with("LABEL=") ||
         source.starts_with("PARTUUID=") || source.starts_with("PARTLABEL=") || source.starts_with("ID=");
}

// An entry that is written back where the system has the file; its bytes by `change`.
template <class Change>
Result<void> change_file(extfs::FileSystem& image, const char* path, Change&& change) {
  if (!TRY(image.exists(path))) {
    return {};
  }
  const extfs::NodeInfo info = TRY(image.stat(path));
  if (info.type != EntryType::regular) {
    return {};
  }
  const std::string old = TRY(image.read_file(path, longest_file));
  const std::string changed = change(old);
  if (changed == old) {
    return {};
  }
  return image.write_file(path, changed, {.mode = info.mode, .uid = info.uid, .gid = info.gid});
}

Result<void> forget_machine(extfs::FileSystem& image) {
  for (const char* path : {"/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret",
                           "/var/lib/urandom/random-seed", "/var/lib/dbus/machine-id"}) {
    if (TRY(image.exists(path, extfs::Follow::no))) {
      TRY(image.remove(path));
    }
  }
  TRY(change_file(image, "/etc/machine-id", [](const std::string&) { return std::string(); }));
  if (!TRY(image.exists("/etc/ssh"))) {
    return {};
  }
  for (const extfs::DirectoryItem& item : TRY(image.list("/etc/ssh"))) {
    if (item.name.starts_with("ssh_host_") && item.name.contains("_key") && item.type == EntryType::regular) {
      TRY(image.remove("/etc/ssh/" + item.name));
    }
  }
  return {};
}

}  // namespace

std::string adapted_fstab(std::string_view fstab, const std::vector<std::string>& mountpoints,
                          const std::string& root_type) {
  std::string out = fmt::format("/dev/xvda / {} errors=remount-ro 0 1\n", root_type);
  for (const std::string& line : split_lines(fstab)) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() < 3 || fields[0].starts_with('#')) {
      out += line + "\n";
      continue;
    }
    const bool merged = std::ranges::find(mountpoints, fields[1]) != mountpoints.end() || fields[1] == "/";
    const bool gone = merged || fields[2] == "swap" || names_a_disk(fields[0]);
    out += fmt::format("{}{}\n", gone ? "# of the disk that this system was installed on: " : "", line);
  }
  return out;
}

std::string adapted_inittab(std::string_view inittab) {
  if (inittab.empty() || inittab.contains("hvc0")) {
    return std::string(inittab);
  }
  return fmt::format("{}{}hvc0:2345:respawn:/sbin/getty 38400 hvc0 linux\n", inittab,
                     inittab.ends_with('\n') ? "" : "\n");
}

Result<void> adapt_system(extfs::FileSystem& image, const std::vector<std::string>& mountpoints,
                          const std::string& root_type) {
  const std::string path = "/etc/fstab";
  const std::string old = TRY(image.exists(path)) ? TRY(image.read_file(path, longest_file)) : std::string();
  TRY(image.make_directories("/etc"));
  TRY(image.write_file(path, adapted_fstab(old, mountpoints, root_type)));
  TRY(change_file(image, "/etc/inittab", [](const std::string& text) { return adapted_inittab(text); }));
  TRY(change_file(image, "/etc/securetty", [](const std::string& text) {
    return text.contains("hvc0") ? text : text + (text.ends_with('\n') || text.empty() ? "" : "\n") + "hvc0\n";
  }));
  return forget_machine(image);
}

}  // namespace domsmith::foreign
