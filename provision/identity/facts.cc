#include "provision/identity/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith {
namespace {

using extfs::FileSystem;
using extfs::Follow;

constexpr std::uint64_t kLongestText = 1ULL << 20;  // bytes

Result<bool> any_exists(FileSystem& fs, std::initializer_list<std::string_view> paths) {
  for (const auto path : paths) {
    if (TRY(fs.exists(path))) {
      return true;
    }
  }
  return false;
}

Result<std::optional<std::string>> text_of(FileSystem& fs, std::string_view path) {
  if (!TRY(fs.exists(path))) {
    return std::nullopt;
  }
  return TRY_AS(fs.read_file(path, kLongestText), fmt::format("cannot read {} of the image", path));
}

Result<std::vector<std::string>> names_in(FileSystem& fs, std::string_view folder) {
  std::vector<std::string> names;
  const auto there = fs.stat(folder);
  if (!there && there.error().code != ErrorCode::not_found) {
    return std::unexpected(there.error());
  }
  if (!there || there->type != EntryType::directory) {
    return names;
  }
  for (const auto& item : TRY(fs.list(folder))) {
    if (item.type != EntryType::directory) {
      names.push_back(item.name);
    }
  }
  return names;
}

struct Leftover {
  std::string_view folder;
  std::string_view prefix;
  std::string_view suffix;
};

// Files that hold what a DHCP server, a udev rule or a key derivation would know one machine by. Those of a folder
// stand together.
constexpr std::array kLeftovers{
    Leftover{"/var/lib/dhcp", "", ".leases"},                      // dhclient: leases and its DUID
    Leftover{"/var/lib/dhcpcd", "", ""},                           // dhcpcd 10: duid, secret, leases
    Leftover{"/var/lib/dhcpcd5", "", ""},                          // dhcpcd of Debian 11 and before
    Leftover{"/etc", "dhcpcd.", "duid"},                           // dhcpcd of others
    Leftover{"/etc", "dhcpcd.", "secret"},                         //
    Leftover{"/var/lib/NetworkManager", "", ".lease"},             //
    Leftover{"/var/lib/NetworkManager", "secret_key", ""},         // stable addresses are derived from it
    Leftover{"/var/lib/NetworkManager", "timestamps", ""},         //
    Leftover{"/var/lib/NetworkManager", "seen-bssids", ""},        //
    Leftover{"/etc/udev/rules.d", "70-persistent-net.rules", ""},  // the MAC of another machine
    Leftover{"/etc/udev/rules.d", "75-persistent-net-generator.rules", ""},
    Leftover{"/var/lib/systemd", "credential.secret", ""},  // systemd-creds(1): one a machine
};

Result<std::vector<std::string>> find_leftovers(FileSystem& fs) {
  std::vector<std::string> found;
  std::vector<std::string> names;
  std::string_view folder;
  for (const auto& leftover : kLeftovers) {
    if (leftover.folder != folder) {
      folder = leftover.folder;
      names = TRY(names_in(fs, folder));
    }
    for (const auto& name : names) {
      if (name.size() >= leftover.prefix.size() + leftover.suffix.size() && name.starts_with(leftover.prefix) &&
          name.ends_with(leftover.suffix)) {
        found.push_back(fmt::format("{}/{}", leftover.folder, name));
      }
    }
  }
  std::ranges::sort(found);
  return found;
}

Result<bool> networkd_enabled(FileSystem& fs) {
  constexpr std::string_view kUnits = "/etc/systemd/system";
  if (!TRY(fs.exists(kUnits))) {
    return false;
  }
  for (const auto& item : TRY(fs.list(kUnits))) {
    const auto link = fmt::format("{}/{}/systemd-networkd.service", kUnits, item.name);
    if (item.type == EntryType::directory && item.name.ends_with(".wants") && TRY(fs.exists(link, Follow::no))) {
      return true;
    }
  }
  return false;
}

Result<std::string> networkd_unit(FileSystem& fs) {
  for (const auto* path :
       {"/usr/lib/systemd/system/systemd-networkd.service", "/lib/systemd/system/systemd-networkd.service"}) {
    if (TRY(fs.exists(path))) {
      return path;
    }
  }
  return std::string();
}

Result<NetworkSystem> network_system(FileSystem& fs, const ImageFacts& facts) {
  if (TRY(any_exists(fs, {"/usr/sbin/netplan", "/usr/lib/netplan/generate", "/lib/netplan/generate"}))) {
    return NetworkSystem::netplan;
  }
  if (TRY(any_exists(fs, {"/usr/sbin/NetworkManager"}))) {
    return NetworkSystem::network_manager;
  }
  // Debian's systemd always brings networkd along: only where it is enabled does it stand before ifupdown.
  if (!facts.networkd_unit.empty() && facts.networkd_enabled) {
    return NetworkSystem::networkd;
  }
  if (TRY(any_exists(fs, {"/usr/sbin/ifup", "/sbin/ifup"}))) {
    return NetworkSystem::ifupdown;
  }
  return facts.networkd_unit.empty() ? NetworkSystem::none : NetworkSystem::networkd;
}

Result<bool> absent_or_plain(FileSystem& fs, std::string_view path) {
  if (!TRY(fs.exists(path, Follow::no))) {
    return true;
  }
  return TRY(fs.stat(path, Follow::no)).type == EntryType::regular;
}

Result<bool> names_no_server(FileSystem& fs) {
  const auto text = TRY(text_of(fs, "/etc/resolv.conf"));
  return std::ranges::none_of(split_lines(text.value_or("")),
                              [](const std::string& line) { return trimmed(line).starts_with("nameserver"); });
}

Result<std::vector<std::string>> find_host_keys(FileSystem& fs) {
  std::vector<std::string> keys;
  for (const auto& name : TRY(names_in(fs, "/etc/ssh"))) {
    if (name.starts_with("ssh_host_")) {
      keys.push_back("/etc/ssh/" + name);
    }
  }
  return keys;
}

}  // namespace

Result<ImageFacts> read_image_facts(FileSystem& fs) {
  ImageFacts facts;
  facts.networkd_unit = TRY(networkd_unit(fs));
  facts.networkd_enabled = TRY(networkd_enabled(fs));
  facts.network = TRY(network_system(fs, facts));
  facts.interfaces = TRY(text_of(fs, "/etc/network/interfaces"));
  facts.resolv_conf_is_ours = TRY(absent_or_plain(fs, "/etc/resolv.conf"));
  const bool resolved = TRY(any_exists(fs, {"/usr/lib/systemd/systemd-resolved", "/lib/systemd/systemd-resolved"}));
  facts.no_name_servers = !resolved && facts.resolv_conf_is_ours && TRY(names_no_server(fs));
  facts.systemd = TRY(any_exists(fs, {"/usr/lib/systemd/systemd", "/lib/systemd/systemd"}));
  facts.openssh = TRY(any_exists(fs, {"/usr/sbin/sshd", "/usr/bin/ssh-keygen"}));
  facts.cloud_init = TRY(any_exists(fs, {"/usr/bin/cloud-init"}));
  facts.hosts = TRY(text_of(fs, "/etc/hosts"));
  facts.authorized_keys = TRY(text_of(fs, "/root/.ssh/authorized_keys"));
  facts.dbus_machine_id = TRY(fs.exists("/var/lib/dbus/machine-id", Follow::no));
  facts.urandom_seed = TRY(fs.exists("/var/lib/urandom/random-seed", Follow::no));
  facts.host_keys = TRY(find_host_keys(fs));
  facts.leftovers = TRY(find_leftovers(fs));
  return facts;
}

}  // namespace domsmith
