#include "hypervisor/installer/host_files.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/text.h"
#include "provision/identity/openssh_key.h"

namespace domsmith {
namespace {

constexpr std::size_t longest_name = 15;  // IFNAMSIZ without its end

std::string network_path(std::string_view order, const std::string& name, std::string_view suffix) {
  return fmt::format("systemd/network/{}-{}.{}", order, name, suffix);
}

std::string addresses_text(const AnswerNetwork& network) {
  std::string text = "\n[Network]\nLinkLocalAddressing=ipv6\nIPForward=no\n";
  if (network.dhcp) {
    return text + "DHCP=yes\n";
  }
  text += "IPv6AcceptRA=no\n";
  for (const std::string& address : network.addresses) {
    text += fmt::format("Address={}\n", address);
  }
  for (const std::string& gateway : network.gateways) {
    text += fmt::format("Gateway={}\n", gateway);
  }
  for (const std::string& server : network.dns) {
    text += fmt::format("DNS={}\n", server);
  }
  return text;
}

// A card by the address that it was made with: bridge and VLAN bear the same one.
std::string card_text(const std::string& mac, const std::string& network) {
  return fmt::format("[Match]\nPermanentMACAddress={}\n\n[Network]\nLinkLocalAddressing=no\n{}", mac, network);
}

std::string guests_text(const Answer& answer) {
  nlohmann::json guests = nlohmann::json::array();
  for (const AnswerGuests& one : answer.guests) {
    guests.push_back({{"image", one.image},
                      {"name", one.name},
                      {"count", one.count},
                      {"template", one.domain_template},
                      {"autostart", one.autostart}});
  }
  return json_text({{"schema", 1}, {"guests", guests}});
}

void add_keys(const Answer& answer, RandomSource& random, HostFiles& files) {
  std::array<std::byte, 32> seed{};
  random.fill(seed);
  const std::string comment = "root@" + answer.host.name;
  files["ssh/ssh_host_ed25519_key"] = {openssh_private_key(seed, comment), 0600};
  files["ssh/ssh_host_ed25519_key.pub"] = {openssh_public_key(seed, comment) + "\n"};
  if (!answer.host.ssh_keys.empty()) {
    files["ssh/authorized_keys"] = {join(answer.host.ssh_keys, "\n") + "\n", 0600};
  }
  std::array<std::byte, 16> id{};
  random.fill(id);
  files["machine-id"] = {hex(id) + "\n", 0444};
}

}  // namespace

HostFiles network_files(const AnswerNetwork& network, const std::vector<std::string>& macs) {
  HostFiles files;
  const std::string bond = network.bond_mode.empty() ? "" : ("bond-" + network.name).substr(0, longest_name);
  const std::string vlan = network.vlan == 0 ? "" : fmt::format("vlan{}", network.vlan);
  const std::string port_of_bridge = fmt::format("Bridge={}\n", network.name);
  const std::string lowest = vlan.empty() ? port_of_bridge : fmt::format("VLAN={}\n", vlan);
  for (std::size_t i = 0; i < macs.size(); ++i) {
    files[network_path("10", fmt::format("{}-card{}", network.name, i), "network")] = {
        card_text(macs[i], bond.empty() ? lowest : fmt::format("Bond={}\n", bond))};
  }
  if (!bond.empty()) {
    files[network_path("20", bond, "netdev")] = {
        fmt::format("[NetDev]\nName={}\nKind=bond\n\n[Bond]\nMode={}\nMIIMonitorSec=100ms\n{}", bond, network.bond_mode,
                    network.bond_mode == "802.3ad" ? "LACPTransmitRate=fast\nTransmitHashPolicy=layer3+4\n" : "")};
    files[network_path("20", bond, "network")] = {
        fmt::format("[Match]\nName={}\n\n[Network]\nLinkLocalAddressing=no\n{}", bond, lowest)};
  }
  if (!vlan.empty()) {
    files[network_path("30", vlan, "netdev")] = {
        fmt::format("[NetDev]\nName={}\nKind=vlan\n\n[VLAN]\nId={}\n", vlan, network.vlan)};
    files[network_path("30", vlan, "network")] = {
        fmt::format("[Match]\nName={}\n\n[Network]\nLinkLocalAddressing=no\n{}", vlan, port_of_bridge)};
  }
  const std::string mac = macs.empty() ? "" : fmt::format("MACAddress={}\n", macs[0]);
  files[network_path("40", network.name, "netdev")] = {
      fmt::format("[NetDev]\nName={}\nKind=bridge\n{}\n[Bridge]\nSTP=no\nForwardDelaySec=0\n", network.name, mac)};
  files[network_path("40", network.name, "network")] = {
      fmt::format("[Match]\nName={}\n\n[Link]\nRequiredForOnline=no\n{}ConfigureWithoutCarrier=yes\n", network.name,
                  addresses_text(network))};
  return files;
}

std::string shadow_with_root(std::string_view shadow, const std::string& hash) {
  std::string text;
  for (const std::string& line : split_lines(shadow)) {
    const auto rest = line.starts_with("root:") ? line.find(':', 5) : std::string::npos;
    text += rest == std::string::npos ? line : fmt::format("root:{}{}", hash, line.substr(rest));
    text += line.empty() ? "" : "\n";
  }
  return text;
}

HostFiles host_files(const Answer& answer, const InstallPlan& plan, const std::vector<std::string>& cards,
                     RandomSource& random) {
  HostFiles files;
  for (const AnswerNetwork& network : plan.networks) {
    files.merge(network_files(network, network.macs.empty() ? cards : network.macs));
  }
  // agetty(8) shows it above the login prompt, and again when an address comes.
  files["issue"] = {fmt::format("domsmith host \\n, \\l\n{0}: \\4{{{0}}} \\6{{{0}}}\n\n", plan.networks.front().name)};
  files["hostname"] = {answer.host.name + "\n"};
  files["hosts"] = {fmt::format("127.0.0.1 localhost\n127.0.1.1 {}\n::1 localhost ip6-localhost\n", answer.host.name)};
  files["domsmith/domsmith.toml"] = {fmt::format("store = \"lvm:{}/{}\"\nbridge = \"{}\"\n", plan.volume_group,
                                                 answer.storage.pool, plan.networks.front().name)};
  // The memory of dom0 is what [xen] says: xl takes none of it for a guest.
  const std::string cpus =
      answer.xen.guest_cpus.empty() ? "" : fmt::format("vm.cpumask = \"{}\"\n", answer.xen.guest_cpus);
  files["xen/xl.conf"] = {fmt::format("# xl.conf(5)\nautoballoon = \"off\"\n{}", cpus)};
  if (!answer.guests.empty()) {
    files["domsmith/first-boot.json"] = {guests_text(answer)};
  }
  add_keys(answer, random, files);
  return files;
}

}  // namespace domsmith
