#include "provision/registry/names.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class RegistryAddresses : public RegistryTest {
 protected:
  RegistryAddresses() { add_image(registry_); }
  static std::vector<GuestRequest> requests(const std::string& name, const std::string& first, std::uint32_t count) {
    auto made = test_requests(name, count);
    const auto networks =
        value_of(consecutive_networks({.address = first, .prefix = 24, .gateway = "192.0.2.1"}, count));
    for (std::size_t index = 0; index < made.size(); ++index) {
      made[index].network = networks[index];
    }
    return made;
  }
  Registry registry_ = open();
};

TEST_F(RegistryAddresses, AreReservedWithTheGuests) {
  const auto made = value_of(registry_.reserve_guests(requests("web", "192.0.2.10", 3), test_options()));
  EXPECT_EQ(made[2].identity.network->address, "192.0.2.12");
  EXPECT_EQ(value_of(registry_.find_guest("web-3")).identity.network->gateway, "192.0.2.1");
}

TEST_F(RegistryAddresses, ATakenOneIsNamedAndNothingIsReserved) {
  value_of(registry_.reserve_guests(requests("web", "192.0.2.10", 3), test_options()));
  EXPECT_THAT(registry_.reserve_guests(requests("db", "192.0.2.8", 4), test_options("two")),
              FailsWith(ErrorCode::exists,
                        "these addresses are taken: 192.0.2.10 (guest 'web-1'), 192.0.2.11 (guest 'web-2')"));
  EXPECT_THAT(value_of(registry_.list_guests()), SizeIs(3));
  value_of(registry_.drop_guests(std::vector<std::string>{"web-1", "web-2"}));
  value_of(registry_.reserve_guests(requests("db", "192.0.2.8", 4), test_options("two")));
}

TEST_F(RegistryAddresses, OneAddressInTwoSpellingsIsOne) {
  auto request = test_request("a");
  request.network = StaticNetwork{.address = "2001:db8::1", .prefix = 64};
  value_of(registry_.reserve_guests(std::vector{request}, test_options()));
  request.name = "b";
  request.network->address = "2001:DB8:0:0::1";
  EXPECT_THAT(registry_.reserve_guests(std::vector{request}, test_options("two")),
              FailsWith(ErrorCode::bad_input, HasSubstr("2001:db8::1")));
}

TEST_F(RegistryAddresses, TheSameTwiceInABatch) {
  auto twice = requests("web", "192.0.2.10", 2);
  twice[1].network = twice[0].network;
  EXPECT_THAT(registry_.reserve_guests(twice, test_options()),
              FailsWith(ErrorCode::bad_input, HasSubstr("192.0.2.10 was asked for twice")));
}

}  // namespace
}  // namespace domsmith
