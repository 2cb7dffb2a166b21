// Plans of identities against golden files: tests/golden/identity/NAME.plan. DOMSMITH_UPDATE_GOLDEN=1 writes them anew.
#include "provision/identity/plan.h"

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "tests/unit/identity/identity_support.h"

namespace domsmith {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

void expect_golden(const std::string& name, const IdentityPlan& plan) {
  const auto file = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/identity" / (name + ".plan");
  const auto text = plan_text(plan);
  if (std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr) {
    value_of(write_file_atomic(file, text));
  }
  EXPECT_EQ(text, value_of(read_file(file)));
}

const PlannedFile* find(const IdentityPlan& plan, const std::string& path) {
  const auto found = std::ranges::find(plan.files, path, &PlannedFile::path);
  return found == plan.files.end() ? nullptr : &*found;
}

std::string bytes(const IdentityPlan& plan, const std::string& path) {
  const auto* file = find(plan, path);
  return file == nullptr ? "(not planned)" : file->bytes;
}

ImageFacts debian_with_networkd() {
  ImageFacts facts;
  facts.network = NetworkSystem::networkd;
  facts.networkd_unit = "/usr/lib/systemd/system/systemd-networkd.service";
  facts.networkd_enabled = true;
  facts.resolv_conf_is_ours = true;
  facts.systemd = true;
  facts.hosts = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n";
  return facts;
}

ImageFacts debian_with_ifupdown() {
  auto facts = debian_with_networkd();
  facts.network = NetworkSystem::ifupdown;
  facts.networkd_enabled = false;
  facts.interfaces = "# interfaces(5) file\nsource /etc/network/interfaces.d/*\n";
  return facts;
}

const StaticNetwork kStatic{
    .address = "192.0.2.10", .prefix = 24, .gateway = "192.0.2.1", .dns = {"192.0.2.2", "2001:db8::53"}};
const StaticNetwork kStatic6{
    .address = "2001:db8::10", .prefix = 64, .gateway = "2001:db8::1", .dns = {"2001:db8::53"}};

TEST(IdentityPlan, MinimalDebian) {
  expect_golden("networkd-dhcp", plan_identity(debian_with_networkd(), test_identity()));
}

TEST(IdentityPlan, NetworkdNotEnabledYet) {
  auto facts = debian_with_networkd();
  facts.networkd_enabled = false;
  expect_golden("networkd-enable", plan_identity(facts, test_identity()));
}

TEST(IdentityPlan, NetworkdStaticAndASecondInterface) {
  expect_golden("networkd-static",
                plan_identity(debian_with_networkd(), test_identity("web-1", {.network = kStatic},
                                                                    {"00:16:3e:80:00:01", "00:16:3e:80:00:02"})));
}

TEST(IdentityPlan, Ifupdown) {
  expect_golden("ifupdown-dhcp", plan_identity(debian_with_ifupdown(), test_identity()));
  expect_golden("ifupdown-static", plan_identity(debian_with_ifupdown(), test_identity("web-1", {.network = kStatic})));
  expect_golden("ifupdown-static6",
                plan_identity(debian_with_ifupdown(), test_identity("web-1", {.network = kStatic6})));
}

TEST(IdentityPlan, Netplan) {
  auto facts = debian_with_networkd();
  facts.network = NetworkSystem::netplan;
  expect_golden("netplan-dhcp", plan_identity(facts, test_identity()));
  expect_golden("netplan-static", plan_identity(facts, test_identity("web-1", {.network = kStatic},
                                                                     {"00:16:3e:80:00:01", "00:16:3e:80:00:02"})));
}

TEST(IdentityPlan, NetworkManager) {
  auto facts = debian_with_networkd();
  facts.network = NetworkSystem::network_manager;
  expect_golden("networkmanager-dhcp", plan_identity(facts, test_identity()));
  expect_golden("networkmanager-static", plan_identity(facts, test_identity("web-1", {.network = kStatic})));
  expect_golden("networkmanager-static6", plan_identity(facts, test_identity("web-1", {.network = kStatic6})));
}

TEST(IdentityPlan, EverythingAtOnce) {
  auto facts = debian_with_ifupdown();
  facts.openssh = true;
  facts.cloud_init = true;
  facts.dbus_machine_id = true;
  facts.urandom_seed = true;
  facts.authorized_keys = "# the image's\nssh-rsa AAAAB3 old@example";
  facts.hosts = "127.0.0.1 localhost\n127.0.1.1 gold.example.org gold\n10.0.0.1 db\n127.0.1.1 again\n";
  facts.host_keys = {"/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub", "/etc/ssh/ssh_host_rsa_key",
                     "/etc/ssh/ssh_host_rsa_key.pub"};
  facts.leftovers = {"/etc/udev/rules.d/70-persistent-net.rules", "/var/lib/dhcp/dhclient.eth0.leases"};
  expect_golden("everything", plan_identity(facts, test_identity("web-1", {.authorized_keys = {kUserKey}})));
}

TEST(IdentityPlan, SecretsAreNotShown) {
  auto facts = debian_with_networkd();
  facts.openssh = true;
  const auto plan = plan_identity(facts, test_identity());
  EXPECT_THAT(plan_text(plan), Not(HasSubstr("BEGIN OPENSSH")));
  EXPECT_THAT(plan_text(plan), HasSubstr("write  /etc/ssh/ssh_host_ed25519_key 0600\n    (secret, "));
  EXPECT_EQ(find(plan, "/etc/ssh/ssh_host_ed25519_key")->mode, 0600U);
  EXPECT_EQ(bytes(plan, "/var/lib/systemd/random-seed").size(), 512U);
}

TEST(IdentityPlan, SeedsOfTwoGuestsDiffer) {
  auto facts = debian_with_networkd();
  facts.urandom_seed = true;
  auto other = test_identity();
  other.entropy = std::string(64, '0');
  const auto one = plan_identity(facts, test_identity());
  EXPECT_NE(bytes(one, "/var/lib/systemd/random-seed"),
            bytes(plan_identity(facts, other), "/var/lib/systemd/random-seed"));
  EXPECT_NE(bytes(one, "/var/lib/systemd/random-seed"), bytes(one, "/var/lib/urandom/random-seed"));
}

TEST(IdentityPlan, KeysOfAnImageWithoutSshGo) {
  auto facts = debian_with_networkd();
  facts.host_keys = {"/etc/ssh/ssh_host_ed25519_key"};
  const auto plan = plan_identity(facts, test_identity());
  EXPECT_THAT(plan.remove, ElementsAre("/etc/ssh/ssh_host_ed25519_key"));
  EXPECT_EQ(find(plan, "/etc/ssh/ssh_host_ed25519_key"), nullptr);
}

TEST(IdentityPlan, NoNetworkSystemIsSaid) {
  const auto plan = plan_identity({}, test_identity());
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("no network system that is known")));
  EXPECT_THAT(plan_identity({}, test_identity("web", {}, {})).notes, IsEmpty());
}

std::string hosts_after(const std::optional<std::string>& hosts) {
  ImageFacts facts;
  facts.hosts = hosts;
  return bytes(plan_identity(facts, test_identity("web")), "/etc/hosts");
}

TEST(IdentityPlan, Hosts) {
  EXPECT_EQ(hosts_after("127.0.0.1 localhost\n"), "127.0.0.1 localhost\n127.0.1.1\tweb\n");
  EXPECT_EQ(hosts_after("127.0.0.1 localhost"), "127.0.0.1 localhost\n127.0.1.1\tweb\n");
  EXPECT_EQ(hosts_after("# mine\n::1 localhost\n"), "127.0.1.1\tweb\n# mine\n::1 localhost\n");
  EXPECT_EQ(hosts_after("127.0.1.1 gold # old\n10.0.0.1 db\n"), "127.0.1.1\tweb\n10.0.0.1 db\n");
  EXPECT_EQ(hosts_after("127.0.1.1 gold.example.org gold\n"), "127.0.1.1\tweb.example.org web\n");
  EXPECT_EQ(hosts_after("#127.0.1.1 gold\n127.0.1.11 x\n"), "127.0.1.1\tweb\n#127.0.1.1 gold\n127.0.1.11 x\n");
  EXPECT_EQ(hosts_after(""), "127.0.1.1\tweb\n");
  EXPECT_THAT(hosts_after(std::nullopt), HasSubstr("127.0.0.1\tlocalhost\n127.0.1.1\tweb\n::1\tlocalhost"));
}

TEST(IdentityPlan, PlanningWhatWasPlannedChangesNothing) {
  for (auto facts : {debian_with_networkd(), debian_with_ifupdown()}) {
    facts.interfaces = "auto lo\niface lo inet loopback";  // without interfaces.d
    const auto identity = test_identity("web-1", {.network = kStatic, .authorized_keys = {kUserKey}});
    const auto first = plan_identity(facts, identity);
    facts.hosts = bytes(first, "/etc/hosts");
    facts.authorized_keys = bytes(first, "/root/.ssh/authorized_keys");
    if (const auto* file = find(first, "/etc/network/interfaces"); file != nullptr) {
      facts.interfaces = file->bytes;
    }
    const auto second = plan_identity(facts, identity);
    for (const auto& file : second.files) {
      EXPECT_THAT(first.files, Contains(file));
    }
  }
}

TEST(IdentityPlan, InterfacesWithoutTheFolderGetALine) {
  auto facts = debian_with_ifupdown();
  facts.interfaces = "auto lo\niface lo inet loopback";
  EXPECT_EQ(bytes(plan_identity(facts, test_identity()), "/etc/network/interfaces"),
            "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/domsmith\n");
  facts.interfaces.reset();
  EXPECT_EQ(bytes(plan_identity(facts, test_identity()), "/etc/network/interfaces"),
            "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/domsmith\n");
  facts.interfaces = "source-directory interfaces.d\n";
  EXPECT_EQ(find(plan_identity(facts, test_identity()), "/etc/network/interfaces"), nullptr);
}

TEST(IdentityPlan, ResolvConfOfSomebodyElseStays) {
  auto facts = debian_with_networkd();
  const auto identity = test_identity("web", {.network = kStatic});
  EXPECT_EQ(bytes(plan_identity(facts, identity), "/etc/resolv.conf"),
            "nameserver 192.0.2.2\nnameserver 2001:db8::53\n");
  facts.resolv_conf_is_ours = false;
  EXPECT_EQ(find(plan_identity(facts, identity), "/etc/resolv.conf"), nullptr);
}

TEST(IdentityPlan, SaysWhereDhcpBringsNoNameServers) {
  auto facts = debian_with_networkd();
  facts.no_name_servers = true;
  const auto notes = plan_identity(facts, test_identity()).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes.front().find("add systemd-resolved to its recipe"), std::string::npos);
  EXPECT_TRUE(plan_identity(facts, test_identity("web", {.network = kStatic})).notes.empty());
  facts.network = NetworkSystem::ifupdown;  // dhclient writes /etc/resolv.conf
  EXPECT_TRUE(plan_identity(facts, test_identity()).notes.empty());
}

}  // namespace
}  // namespace domsmith
