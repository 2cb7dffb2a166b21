#include "provision/identity/identity.h"

#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/unit/identity/identity_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> kMacs{"00:16:3e:80:00:01"};

TEST(Identity, HasTheFormsThatItsFilesWant) {
  const auto identity = value_of(make_identity("web", kMacs, {}, system_random()));
  EXPECT_EQ(identity.hostname, "web");
  EXPECT_TRUE(std::regex_match(identity.machine_id, std::regex("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")))
      << identity.machine_id;
  EXPECT_TRUE(std::regex_match(identity.host_key_seed, std::regex("[0-9a-f]{64}")));
  EXPECT_TRUE(std::regex_match(identity.entropy, std::regex("[0-9a-f]{64}")));
  EXPECT_EQ(identity.macs, kMacs);
  EXPECT_EQ(identity.network, std::nullopt);
}

TEST(Identity, TenThousandShareNothing) {
  std::set<std::string> machine_ids, seeds, entropies, public_keys;
  for (int number = 0; number < 10'000; ++number) {
    const auto identity = value_of(make_identity("web", kMacs, {}, system_random()));
    machine_ids.insert(identity.machine_id);
    seeds.insert(identity.host_key_seed);
    entropies.insert(identity.entropy);
    seeds.insert(identity.entropy);  // nor is one secret the other
    if (number % 50 == 0) {
      public_keys.insert(host_public_key(identity));
    }
  }
  EXPECT_THAT(machine_ids, SizeIs(10'000));
  EXPECT_THAT(seeds, SizeIs(20'000));
  EXPECT_THAT(entropies, SizeIs(10'000));
  EXPECT_THAT(public_keys, SizeIs(200));
}

TEST(Identity, TheSameRandomnessGivesTheSameIdentity) {
  EXPECT_EQ(test_identity(), test_identity());
  const auto random = seeded_random(42);
  const auto first = value_of(make_identity("web-1", kMacs, {}, *random));
  EXPECT_EQ(first, test_identity());
  EXPECT_NE(value_of(make_identity("web-1", kMacs, {}, *random)).machine_id, first.machine_id);
}

TEST(Identity, JsonAndBack) {
  const IdentityOptions options{
      .network = StaticNetwork{.address = "192.0.2.10", .prefix = 24, .gateway = "192.0.2.1", .dns = {"192.0.2.2"}},
      .authorized_keys = {kUserKey}};
  for (const auto& identity :
       {test_identity(), test_identity("db", options, {"00:16:3e:80:00:01", "00:16:3e:80:00:02"})}) {
    EXPECT_EQ(value_of(identity_from_json(nlohmann::json::parse(identity_json(identity).dump()))), identity);
  }
}

TEST(Identity, DamagedJsonIsRefused) {
  const auto good = identity_json(test_identity());
  for (const auto* member : {"hostname", "machine_id", "macs", "host_key_seed", "entropy", "authorized_keys"}) {
    auto damaged = good;
    damaged.erase(member);
    EXPECT_THAT(identity_from_json(damaged), FailsWith(ErrorCode::failed, "cannot read an identity")) << member;
    damaged[member] = 7;
    EXPECT_FALSE(identity_from_json(damaged).has_value()) << member;
  }
  for (const auto& text : {"null", "[]", "7", "\"x\"", "{}"}) {
    EXPECT_FALSE(identity_from_json(nlohmann::json::parse(text)).has_value()) << text;
  }
  EXPECT_FALSE(identity_from_json(nlohmann::json::parse("{", nullptr, false)).has_value());
  auto damaged = good;
  damaged["hostname"] = "a\nroot::0:0";
  EXPECT_FALSE(identity_from_json(damaged).has_value());
  damaged = good;
  damaged["machine_id"] = std::string(32, 'X');
  EXPECT_FALSE(identity_from_json(damaged).has_value());
}

TEST(Identity, WhatIsShownHoldsNoSecret) {
  const auto identity = test_identity();
  const auto shown = identity_public_json(identity).dump();
  EXPECT_THAT(shown, Not(HasSubstr(identity.host_key_seed)));
  EXPECT_THAT(shown, Not(HasSubstr(identity.entropy)));
  EXPECT_THAT(shown, HasSubstr(host_public_key(identity)));
}

TEST(Identity, BadInput) {
  const std::vector<std::string> upper{"00:16:3E:80:00:01"}, none;
  EXPECT_FALSE(make_identity("Web!", kMacs, {}, system_random()).has_value());
  EXPECT_THAT(make_identity("web", upper, {}, system_random()),
              FailsWith(ErrorCode::bad_input, HasSubstr("no MAC address in lower case")));
  EXPECT_THAT(make_identity("web", none, {.network = StaticNetwork{.address = "192.0.2.1"}}, system_random()),
              FailsWith(ErrorCode::bad_input, HasSubstr("no network interface")));
  EXPECT_THAT(make_identity("web", kMacs, {.network = StaticNetwork{.address = "192.0.2.1\nDNS=1"}}, system_random()),
              FailsWith(ErrorCode::bad_input, HasSubstr("no IP address")));
  EXPECT_THAT(make_identity("web", kMacs, {.authorized_keys = {"nonsense"}}, system_random()),
              FailsWith(ErrorCode::bad_input, HasSubstr("no SSH public key")));
}

TEST(Uuid, IsVersionFour) {
  const auto uuid = random_uuid(system_random());
  EXPECT_TRUE(std::regex_match(uuid, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << uuid;
}

TEST(CanonicalAddress, OneSpelling) {
  EXPECT_EQ(canonical_address("2001:DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(canonical_address("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(canonical_address("192.0.2.01"), std::nullopt);
  EXPECT_EQ(canonical_address(std::string("192.0.2.1\0x", 11)), std::nullopt);
}

TEST(AuthorizedKey, Accepted) {
  for (const auto& line : {kUserKey, "from=\"10.0.0.0/8, !10.1.0.0/16\",no-pty " + kUserKey,
                           "command=\"echo \\\"a b\\\"\" " + kUserKey, std::string(kUserKey, 0, kUserKey.rfind(' '))}) {
    EXPECT_TRUE(check_authorized_key(line).has_value()) << line;
  }
}

TEST(AuthorizedKey, Refused) {
  const std::string blob = kUserKey.substr(12, 68);
  for (const auto& line :
       {std::string(), std::string("# comment"), std::string("ssh-ed25519"), "ssh-ed25519 !" + blob,
        "ssh-ed25519 " + blob.substr(0, 20), kUserKey + "\n" + kUserKey, "a b " + kUserKey, "ssh-ed25519 x " + blob,
        kUserKey + std::string(20'000, 'x'), kUserKey + std::string("\0x", 2)}) {
    EXPECT_THAT(check_authorized_key(line), FailsWith(ErrorCode::bad_input, HasSubstr("no SSH public key"))) << line;
  }
  EXPECT_THAT(check_authorized_key("-----BEGIN OPENSSH PRIVATE KEY-----"),
              FailsWith(ErrorCode::bad_input, HasSubstr("private key")));
}

}  // namespace
}  // namespace domsmith
