#include "provision/identity/network_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"

namespace domsmith {
namespace {

struct Interface {
  std::size_t number = 0;
  std::string mac;
  const StaticNetwork* network = nullptr;  // nullptr: DHCP
};

std::vector<Interface> interfaces_of(const Identity& identity) {
  std::vector<Interface> interfaces;
  for (std::size_t number = 0; number < identity.macs.size(); ++number) {
    const bool fixed = number == 0 && identity.network.has_value();
    interfaces.push_back({number, identity.macs[number], fixed ? &*identity.network : nullptr});
  }
  return interfaces;
}

bool is_ipv6(const StaticNetwork& network) { return network.address.find(':') != std::string::npos; }

// systemd.network(5). Type=ether leaves out bridges and VLANs that the guest itself puts on top and that inherit the
// MAC. DHCP: the client identifier is the DUID that networkd derives from the machine-id.
std::string networkd_text(const Interface& interface) {
  auto text = fmt::format("[Match]\nMACAddress={}\nType=ether\n\n[Network]\n", interface.mac);
  if (interface.network == nullptr) {
    return text + "DHCP=yes\n";
  }
  const auto& network = *interface.network;
  text += fmt::format("Address={}/{}\n", network.address, network.prefix);
  if (!network.gateway.empty()) {
    text += fmt::format("Gateway={}\n", network.gateway);
  }
  for (const auto& server : network.dns) {
    text += fmt::format("DNS={}\n", server);
  }
  return text;
}

// netplan(5)
std::string netplan_text(const std::vector<Interface>& interfaces) {
  std::string text = "network:\n  version: 2\n  ethernets:\n";
  for (const auto& interface : interfaces) {
    text += fmt::format("    domsmith{}:\n      match:\n        macaddress: \"{}\"\n", interface.number, interface.mac);
    if (interface.network == nullptr) {
      text += "      dhcp4: true\n";
      continue;
    }
    const auto& network = *interface.network;
    text += fmt::format("      addresses:\n        - \"{}/{}\"\n", network.address, network.prefix);
    if (!network.gateway.empty()) {
      text += fmt::format("      routes:\n        - to: \"{}\"\n          via: \"{}\"\n",
                          is_ipv6(network) ? "::/0" : "0.0.0.0/0", network.gateway);
    }
    if (!network.dns.empty()) {
      text += fmt::format("      nameservers:\n        addresses: [\"{}\"]\n", join(network.dns, "\", \""));
    }
  }
  return text;
}

// A UUID that is the same each time: NetworkManager knows a connection by it.
std::string connection_uuid(const std::string& mac) {
  auto digits = sha256_hex("domsmith connection " + mac).substr(0, 32);
  digits[12] = '8';  // RFC 9562: version 8, made as the maker sees fit
  digits[16] = 'a';
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) {
    digits.insert(dash, "-");
  }
  return digits;
}

std::string keyfile_section(const char* family, const StaticNetwork* network) {
  if (network == nullptr) {
    return fmt::format("\n[{}]\nmethod=auto\n", family);
  }
  auto text = fmt::format("\n[{}]\nmethod=manual\naddress1={}/{}", family, network->address, network->prefix);
  text += network->gateway.empty() ? "\n" : fmt::format(",{}\n", network->gateway);
  std::vector<std::string> servers;
  std::ranges::copy_if(network->dns, std::back_inserter(servers), [&](const std::string& server) {
    return (server.find(':') != std::string::npos) == is_ipv6(*network);
  });
  return servers.empty() ? text : text + fmt::format("dns={};\n", join(servers, ";"));
}

// nm-settings-keyfile(5)
std::string keyfile_text(const Interface& interface) {
  const auto* network = interface.network;
  const bool ipv6 = network != nullptr && is_ipv6(*network);
  return fmt::format(
             "[connection]\nid=domsmith-eth{}\nuuid={}\ntype=ethernet\nautoconnect-priority=100\n\n[ethernet]\nmac-"
             "address={}\n",
             interface.number, connection_uuid(interface.mac), interface.mac) +
         keyfile_section("ipv4", ipv6 ? nullptr : network) + keyfile_section("ipv6", ipv6 ? network : nullptr);
}

// interfaces(5), "PATTERN MATCHING INTERFACES": the interface with this MAC, whatever its name, gets this logical one.
std::string ifupdown_text(const std::vector<Interface>& interfaces) {
  std::string text;
  for (const auto& interface : interfaces) {
    text += text.empty() ? "" : "\n";
    text += fmt::format("auto mac/{}/=domsmith{}\n", interface.mac, interface.number);
    if (interface.network == nullptr) {
      text += fmt::format("iface domsmith{} inet dhcp\n", interface.number);
      continue;
    }
    const auto& network = *interface.network;
    text += fmt::format("iface domsmith{} {} static\n    address {}/{}\n", interface.number,
                        is_ipv6(network) ? "inet6" : "inet", network.address, network.prefix);
    if (!network.gateway.empty()) {
      text += fmt::format("    gateway {}\n", network.gateway);
    }
    if (!network.dns.empty()) {
      text += fmt::format("    dns-nameservers {}\n", join(network.dns, " "));
    }
  }
  return text;
}

constexpr std::string_view kInterfacesD = "/etc/network/interfaces.d";

bool sources_ours(const std::string& interfaces) {
  return std::ranges::any_of(split_lines(interfaces), [](const std::string& line) {
    const auto text = trimmed(line);
    return text.starts_with("source") && text.find("interfaces.d") != std::string::npos;
  });
}

std::vector<PlannedFile> ifupdown_files(const ImageFacts& facts, const std::vector<Interface>& interfaces) {
  std::vector<PlannedFile> files;
  const auto ours = fmt::format("{}/domsmith", kInterfacesD);
  if (!facts.interfaces || !sources_ours(*facts.interfaces)) {
    auto text = facts.interfaces.value_or("auto lo\niface lo inet loopback\n");
    text += text.empty() || text.ends_with('\n') ? "" : "\n";
    files.push_back({.path = "/etc/network/interfaces", .bytes = text + fmt::format("\nsource {}\n", ours)});
  }
  files.push_back({.path = ours, .bytes = ifupdown_text(interfaces)});
  return files;
}

std::vector<PlannedFile> networkd_files(const ImageFacts& facts, const std::vector<Interface>& interfaces) {
  std::vector<PlannedFile> files;
  for (const auto& interface : interfaces) {
    files.push_back({.path = fmt::format("/etc/systemd/network/10-domsmith-eth{}.network", interface.number),
                     .bytes = networkd_text(interface)});
  }
  if (!facts.networkd_enabled) {
    files.push_back({.path = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
                     .type = PlannedFile::Type::symlink,
                     .bytes = facts.networkd_unit,
                     .mode = 0777});
  }
  return files;
}

std::vector<PlannedFile> keyfiles(const std::vector<Interface>& interfaces) {
  std::vector<PlannedFile> files;
  for (const auto& interface : interfaces) {  // NetworkManager ignores a keyfile that others can read
    files.push_back(
        {.path = fmt::format("/etc/NetworkManager/system-connections/domsmith-eth{}.nmconnection", interface.number),
         .bytes = keyfile_text(interface),
         .mode = 0600});
  }
  return files;
}

}  // namespace

std::vector<PlannedFile> network_files(const ImageFacts& facts, const Identity& identity) {
  const auto interfaces = interfaces_of(identity);
  if (interfaces.empty()) {
    return {};
  }
  std::vector<PlannedFile> files;
  switch (facts.network) {
    case NetworkSystem::none:
      break;
    case NetworkSystem::netplan:  // netplan warns of a file that others can read
      files = {{.path = "/etc/netplan/90-domsmith.yaml", .bytes = netplan_text(interfaces), .mode = 0600}};
      break;
    case NetworkSystem::network_manager:
      files = keyfiles(interfaces);
      break;
    case NetworkSystem::ifupdown:
      files = ifupdown_files(facts, interfaces);
      break;
    case NetworkSystem::networkd:
      files = networkd_files(facts, interfaces);
      break;
  }
  const bool nobody_else_does = facts.network == NetworkSystem::ifupdown || facts.network == NetworkSystem::networkd;
  if (nobody_else_does && facts.resolv_conf_is_ours && identity.network && !identity.network->dns.empty()) {
    files.push_back({.path = "/etc/resolv.conf",
                     .bytes = fmt::format("nameserver {}\n", join(identity.network->dns, "\nnameserver "))});
  }
  return files;
}

}  // namespace domsmith
