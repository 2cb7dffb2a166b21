#include "hypervisor/answer/answer_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "hypervisor/answer/disk_match.h"
#include "provision/domain/spec.h"
#include "provision/domain/xl_settings.h"
#include "provision/identity/identity.h"
#include "provision/registry/mac.h"

namespace domsmith::answer_checks {
namespace {

bool good_in_volume_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '+' || c == '-';
}

void check_disks(const DocumentTable& root, Problems& problems) {
  const auto& disks = root.tables("disk");
  if (disks.empty()) {
    problems.add(root.place(), "no [[disk]] says where to install", "",
                 "add a [[disk]] with what is known of it: serial, wwn, size, bus or model");
  }
  if (disks.size() > 2) {
    problems.add(disks[2].place(), "more than two [[disk]]", "one, or two for RAID 1");
  }
  std::map<std::string, Place> serials;
  for (const DocumentTable& disk : disks) {
    for (const std::string_view key : {"serial", "wwn"}) {
      if (!disk.has(key)) {
        continue;
      }
      const auto [first, added] = serials.emplace(fmt::format("{} {}", key, disk.string(key)), disk.value_place(key));
      if (!added) {
        problems.add(disk.value_place(key), "two [[disk]] name the same disk",
                     fmt::format("the other one is at line {}", first->second.line));
      }
    }
  }
}

// Erasing what holds data needs a name that fits one disk in the world.
void check_wipe(const DocumentTable& root, Problems& problems) {
  const DocumentTable& storage = root.table("storage");
  if (storage.string("wipe") != "named") {
    return;
  }
  for (const DocumentTable& disk : root.tables("disk")) {
    if (!disk.has("serial") && !disk.has("wwn")) {
      problems.add(disk.place(), "wipe = \"named\" needs the serial number or WWN of each disk",
                   fmt::format("wipe is at line {}", storage.key_place("wipe").line));
    }
  }
}

bool is_v6(std::string_view text) { return text.find(':') != std::string_view::npos; }

void check_gateways(const DocumentTable& network, Problems& problems) {
  const auto& addresses = network.strings("addresses");
  const auto& gateways = network.strings("gateways");
  for (std::size_t i = 0; i < gateways.size(); ++i) {
    const auto same_family = [&](const std::string& address) { return is_v6(address) == is_v6(gateways[i]); };
    if (std::ranges::none_of(addresses, same_family)) {
      problems.add(network.element_place("gateways", i),
                   fmt::format("the gateway {} has no address beside it", gateways[i]),
                   fmt::format("add an {} address", is_v6(gateways[i]) ? "IPv6" : "IPv4"));
    }
  }
}

void check_networks(const DocumentTable& root, Problems& problems) {
  const auto& networks = root.tables("network");
  std::map<std::string, Place> bridges;
  std::map<std::string, Place> ports;  // "MAC vlan"
  for (const DocumentTable& network : networks) {
    check_gateways(network, problems);
    if (network.written("bond") && network.strings("macs").size() < 2) {
      problems.add(network.key_place("bond"), "'bond' needs two network cards at least", "name them in 'macs'");
    }
    if (networks.size() > 1 && network.strings("macs").empty()) {
      problems.add(network.place(), "with more than one [[network]] each must name its network cards", "add 'macs'");
    }
    if (!bridges.emplace(network.string("bridge"), network.place()).second) {
      problems.add(network.written("bridge") ? network.value_place("bridge") : network.place(),
                   fmt::format("two [[network]] have the bridge '{}'", network.string("bridge")));
    }
    for (std::size_t i = 0; i < network.strings("macs").size(); ++i) {
      const std::string port = canonical_mac(network.strings("macs")[i]).value_or("");
      if (!ports.emplace(fmt::format("{} {}", port, network.integer("vlan")), network.place()).second) {
        problems.add(network.element_place("macs", i), fmt::format("the network card {} is named twice", port),
                     "a card can be in several networks only with different VLANs");
      }
    }
  }
}

}  // namespace

std::optional<Complaint> size_range(std::string_view text) {
  if (parse_size_range(text)) {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("bad size '{}'", text.substr(0, 64)),
                   .hint = "\"500GB\" (about), \">= 100GiB\", \"<= 2TB\" or \"100GiB..2TB\""};
}

std::optional<Complaint> mac(std::string_view text) {
  if (canonical_mac(text)) {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("bad MAC '{}'", text.substr(0, 64)), .hint = "six bytes: \"3c:ec:ef:01:02:03\""};
}

std::optional<Complaint> address_with_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view digits = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  unsigned prefix = 0;
  for (const char c : digits.substr(0, 4)) {
    prefix = c >= '0' && c <= '9' ? prefix * 10 + static_cast<unsigned>(c - '0') : 1000;
  }
  if (digits.empty() || digits.size() > 3) {
    return Complaint{.what = fmt::format("bad address '{}'", text.substr(0, 64)),
                     .hint = "with the length of its prefix: \"192.0.2.10/24\""};
  }
  return complaint_of(check_static_network({.address = std::string(text.substr(0, slash)), .prefix = prefix}));
}

std::optional<Complaint> address(std::string_view text) {
  if (canonical_address(std::string(text))) {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("bad address '{}'", text.substr(0, 64)), .hint = "an IPv4 or IPv6 address"};
}

std::optional<Complaint> ssh_key(std::string_view text) { return complaint_of(check_authorized_key(text)); }

std::optional<Complaint> bridge(std::string_view text) { return complaint_of(check_bridge(text)); }

std::optional<Complaint> cpu_list(std::string_view text) {
  const auto cpus = parse_cpu_list(text);
  if (cpus && cpus->empty()) {
    return Complaint{.what = fmt::format("'{}' leaves guests no CPU", text.substr(0, 64)), .hint = "as in \"all,^0\""};
  }
  return complaint_of(cpus);
}

std::optional<Complaint> url(std::string_view text) {
  const bool known = text.starts_with("http://");
  const auto bad = std::ranges::find_if(text, [](char c) { return c <= 0x20 || c > 0x7e; });
  if (known && bad == text.end() && text.size() > 7) {
    return std::nullopt;
  }
  return Complaint{
      .what = fmt::format("bad URL '{}'", text.substr(0, 64)),
      .hint = "it begins with http:// and has no space; the medium knows no certificate authorities for https"};
}

std::optional<Complaint> volume_name(std::string_view text) {
  const auto bad = std::ranges::find_if_not(text, good_in_volume_name);
  if (!text.empty() && bad == text.end() && text.front() != '-' && text != "." && text != "..") {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("'{}' cannot be a name in LVM", text.substr(0, 64)),
                   .hint = "letters, digits, '+', '_', '.' and '-', not '-' first"};
}

void whole(const Document& document, Problems& problems) {
  const DocumentTable& root = document.root();
  check_disks(root, problems);
  check_wipe(root, problems);
  check_networks(root, problems);
  const DocumentTable& host = root.table("host");
  const bool tried = host.written("ssh-keys") && !host.has("ssh-keys");  // a wrong one is told at its own place
  if (!tried && host.strings("ssh-keys").empty() && !host.has("console-password")) {
    problems.add(host.place(), "nobody could log in: there is neither an SSH key nor a console password",
                 "add ssh-keys = [\"ssh-ed25519 …\"]");
  }
}

}  // namespace domsmith::answer_checks
