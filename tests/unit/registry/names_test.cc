#include "provision/registry/names.h"

#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GuestNames, OneIsTheNameItself) { EXPECT_THAT(value_of(guest_names("web", 1)), ElementsAre("web")); }

TEST(GuestNames, ManyAreNumbered) {
  EXPECT_THAT(value_of(guest_names("web", 3)), ElementsAre("web-1", "web-2", "web-3"));
  EXPECT_THAT(value_of(guest_names("web", 2, 101)), ElementsAre("web-101", "web-102"));
  EXPECT_THAT(value_of(guest_names("web", 1, 7)), ElementsAre("web-7"));
}

TEST(GuestNames, TheLongestMustFit) {
  const std::string name(60, 'a');
  EXPECT_EQ(value_of(guest_names(name, 99)).size(), 99U);
  EXPECT_FALSE(guest_names(name, 100).has_value());
}

TEST(GuestNames, Refused) {
  EXPECT_THAT(guest_names("web", 0), FailsWith(ErrorCode::bad_input, HasSubstr("no guest")));
  for (const auto* name : {"", "-web", "Web", "web_1", "web.example", "../web", "we b", "web\n"}) {
    EXPECT_FALSE(guest_names(name, 1).has_value()) << name;
    EXPECT_FALSE(guest_names(name, 2).has_value()) << name;
  }
}

std::vector<std::string> addresses(const StaticNetwork& first, std::uint32_t count) {
  std::vector<std::string> found;
  for (const auto& network : value_of(consecutive_networks(first, count))) {
    found.push_back(network.address);
  }
  return found;
}

TEST(ConsecutiveNetworks, CountUp) {
  EXPECT_THAT(addresses({.address = "192.0.2.254", .prefix = 23}, 4),
              ElementsAre("192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"));
  EXPECT_THAT(addresses({.address = "2001:db8::ffff", .prefix = 64}, 2),
              ElementsAre("2001:db8::ffff", "2001:db8::1:0"));
  EXPECT_THAT(addresses({.address = "192.0.2.0", .prefix = 31}, 2), ElementsAre("192.0.2.0", "192.0.2.1"));
  EXPECT_THAT(addresses({.address = "192.0.2.7", .prefix = 32}, 1), ElementsAre("192.0.2.7"));
}

TEST(ConsecutiveNetworks, KeepTheRest) {
  const auto networks = value_of(
      consecutive_networks({.address = "192.0.2.10", .prefix = 24, .gateway = "192.0.2.1", .dns = {"192.0.2.2"}}, 2));
  EXPECT_EQ(networks[1],
            (StaticNetwork{.address = "192.0.2.11", .prefix = 24, .gateway = "192.0.2.1", .dns = {"192.0.2.2"}}));
}

TEST(ConsecutiveNetworks, NothingIsSkipped) {
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.253", .prefix = 24}, 3),
              FailsWith(ErrorCode::bad_input, HasSubstr("number 3, 192.0.2.255, is the network's broadcast address")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.0", .prefix = 24}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("network's own")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.10", .prefix = 24, .gateway = "192.0.2.12"}, 5),
              FailsWith(ErrorCode::bad_input, HasSubstr("number 3, 192.0.2.12, is the gateway's")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.7", .prefix = 32}, 2),
              FailsWith(ErrorCode::bad_input, HasSubstr("outside the network")));
  EXPECT_THAT(consecutive_networks({.address = "255.255.255.255", .prefix = 1}, 2),
              FailsWith(ErrorCode::bad_input, HasSubstr("broadcast")));
  EXPECT_THAT(consecutive_networks({.address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", .prefix = 64}, 2),
              FailsWith(ErrorCode::bad_input, HasSubstr("outside the network")));
}

TEST(ConsecutiveNetworks, BadOnes) {
  EXPECT_THAT(consecutive_networks({.address = "192.0.2", .prefix = 24}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("no IP address")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.1", .prefix = 33}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("prefix length")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.1", .prefix = 0}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("prefix length")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.1", .prefix = 24, .gateway = "2001:db8::1"}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("gateway")));
  EXPECT_THAT(consecutive_networks({.address = "192.0.2.1", .prefix = 24, .dns = {"one.example"}}, 1),
              FailsWith(ErrorCode::bad_input, HasSubstr("name server")));
}

}  // namespace
}  // namespace domsmith
