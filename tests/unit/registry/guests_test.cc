#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class RegistryGuests : public RegistryTest {
 protected:
  RegistryGuests() { add_image(registry_); }
  Registry registry_ = open();
};

TEST_F(RegistryGuests, EveryColumnComesBack) {
  auto request = test_request("web");
  request.autostart = true;
  request.interfaces = 2;
  request.volume = "web-disk";
  auto options = test_options();
  const StoppedClock clock;
  options.clock = &clock;
  const auto made = value_of(registry_.reserve_guests(std::vector{request}, options));
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_EQ(value_of(registry_.find_guest("web")), made[0]);
  EXPECT_EQ(made[0].volume, "web-disk");
  EXPECT_EQ(made[0].created, clock.now());
  EXPECT_TRUE(made[0].autostart);
  EXPECT_EQ(made[0].state, GuestState::making);
  EXPECT_EQ(made[0].operation, "clone-1");
  EXPECT_THAT(made[0].identity.macs, ElementsAre(StartsWith("00:16:3e:"), StartsWith("00:16:3e:")));
  EXPECT_EQ(made[0].uuid[14], '4');
  value_of(registry_.complete_guests("clone-1"));
  auto expected = made[0];
  expected.state = GuestState::ready;
  expected.operation.clear();
  EXPECT_EQ(value_of(open().find_guest("web")), expected);
}

TEST_F(RegistryGuests, SecretsStayOutOfWhatIsShown) {
  const auto guest = add_guests(registry_, "web", 1).at(0);
  const auto shown = record_json(guest).dump();
  EXPECT_THAT(shown, Not(HasSubstr(guest.identity.host_key_seed)));
  EXPECT_THAT(shown, Not(HasSubstr(guest.identity.entropy)));
  EXPECT_THAT(shown, HasSubstr("ssh-ed25519 AAAA"));
}

TEST_F(RegistryGuests, NothingIsSharedByTwoThousand) {
  value_of(registry_.reserve_guests(test_requests("web", 2000), test_options()));
  std::set<std::string> macs, machine_ids, uuids, seeds;
  for (const auto& guest : value_of(registry_.list_guests())) {
    macs.insert(guest.identity.macs.at(0));
    machine_ids.insert(guest.identity.machine_id);
    uuids.insert(guest.uuid);
    seeds.insert(guest.identity.host_key_seed);
  }
  EXPECT_THAT(macs, SizeIs(2000));
  EXPECT_THAT(machine_ids, SizeIs(2000));
  EXPECT_THAT(uuids, SizeIs(2000));
  EXPECT_THAT(seeds, SizeIs(2000));
}

TEST_F(RegistryGuests, ATakenNameStopsTheWholeBatch) {
  add_guests(registry_, "web", 2);
  const auto refused = registry_.reserve_guests(test_requests("web", 10), test_options("two"));
  EXPECT_THAT(refused, FailsWith(ErrorCode::exists, "these names are taken: 'web-1' (a guest), 'web-2' (a guest)"));
  EXPECT_THAT(value_of(registry_.list_guests()), SizeIs(2));
  EXPECT_THAT(value_of(registry_.operations()), IsEmpty());
}

TEST_F(RegistryGuests, NamesOfConfigsAreTaken) {
  auto options = test_options();
  options.configs.names.emplace("web-2", "/etc/xen/other.cfg");
  EXPECT_THAT(registry_.reserve_guests(test_requests("web", 3), options),
              FailsWith(ErrorCode::exists, "the name is taken: 'web-2' (/etc/xen/other.cfg)"));
}

TEST_F(RegistryGuests, ManyTakenNamesAreCounted) {
  add_guests(registry_, "web", 20);
  EXPECT_THAT(registry_.reserve_guests(test_requests("web", 20), test_options("two")),
              FailsWith(ErrorCode::exists, HasSubstr("'web-5' (a guest) and 15 more")));
}

TEST_F(RegistryGuests, ANameThatIsBeingMadeIsTaken) {
  value_of(registry_.reserve_guests(test_requests("web", 1), test_options("one")));
  EXPECT_THAT(registry_.reserve_guests(test_requests("web", 1), test_options("two")),
              FailsWith(ErrorCode::exists, "the name is taken: 'web' (a guest that another process is making)"));
}

TEST_F(RegistryGuests, TheSameNameTwiceInABatch) {
  EXPECT_THAT(registry_.reserve_guests(std::vector{test_request("web"), test_request("web")}, test_options()),
              FailsWith(ErrorCode::bad_input, HasSubstr("asked for twice")));
}

TEST_F(RegistryGuests, UnknownImage) {
  EXPECT_THAT(registry_.reserve_guests(std::vector{test_request("web", "lead")}, test_options()),
              FailsWith(ErrorCode::not_found, HasSubstr("there is no image 'lead'")));
}

TEST_F(RegistryGuests, AnImageThatIsBeingMade) {
  value_of(registry_.reserve_image(test_image("silver", "build-2")));
  EXPECT_THAT(registry_.reserve_guests(std::vector{test_request("web", "silver")}, test_options()),
              FailsWith(ErrorCode::busy, HasSubstr("making the image 'silver'")));
}

TEST_F(RegistryGuests, AFailingIdentityLeavesNothing) {
  auto options = test_options();
  options.make_identity = [](const GuestRequest& request, std::span<const std::string> macs) -> Result<Identity> {
    if (request.name == "web-7") {
      return fail(ErrorCode::bad_input, "no");
    }
    return make_identity(request.name, macs, {}, system_random());
  };
  EXPECT_THAT(registry_.reserve_guests(test_requests("web", 10), options), FailsWith(ErrorCode::bad_input, "no"));
  EXPECT_THAT(value_of(registry_.list_guests()), IsEmpty());
  value_of(registry_.reserve_guests(test_requests("web", 10), test_options()));
}

TEST_F(RegistryGuests, AMachineIdIsNeverGivenTwice) {
  auto options = test_options();
  options.make_identity = [](const GuestRequest& request, std::span<const std::string> macs) {
    const auto same = seeded_random(1);
    return make_identity(request.name, macs, {}, *same);
  };
  EXPECT_THAT(registry_.reserve_guests(test_requests("web", 2), options),
              FailsWith(ErrorCode::exists, HasSubstr("cannot reserve the guest 'web-2'")));
  EXPECT_THAT(value_of(registry_.list_guests()), IsEmpty());
}

TEST_F(RegistryGuests, ChosenMacs) {
  auto request = test_request("web");
  request.macs = {"00:16:3E:1:2:3"};
  request.interfaces = 2;
  const auto made = value_of(registry_.reserve_guests(std::vector{request}, test_options()));
  EXPECT_THAT(made[0].identity.macs, ElementsAre("00:16:3e:01:02:03", StartsWith("00:16:3e:")));
  auto second = test_request("db");
  second.macs = {"00:16:3e:01:02:03"};
  EXPECT_THAT(registry_.reserve_guests(std::vector{second}, test_options("two")),
              FailsWith(ErrorCode::exists, "the MAC address 00:16:3e:01:02:03 is taken: guest 'web'"));
  auto options = test_options("two");
  options.configs.macs.emplace("00:16:3e:09:09:09", "/etc/xen/a.cfg");
  second.macs = {"00:16:3e:09:09:09"};
  EXPECT_THAT(registry_.reserve_guests(std::vector{second}, options),
              FailsWith(ErrorCode::exists, HasSubstr("taken: /etc/xen/a.cfg")));
  for (const auto* bad : {"01:16:3e:01:02:03", "00:00:00:00:00:00", "nonsense"}) {
    second.macs = {bad};
    EXPECT_THAT(registry_.reserve_guests(std::vector{second}, options),
                FailsWith(ErrorCode::bad_input, HasSubstr("no MAC address")))
        << bad;
  }
}

TEST_F(RegistryGuests, ASmallPrefixIsUsedUpAndThenRefused) {
  auto options = test_options();
  options.mac_policy = value_of(MacPolicy::parse("02:00:00:00:01"));
  for (int last = 0; last < 6; ++last) {
    options.configs.macs.emplace(fmt::format("02:00:00:00:01:{:02x}", last), "/etc/xen/a.cfg");
  }
  value_of(registry_.reserve_guests(test_requests("web", 250), options));
  options.operation = "two";
  EXPECT_THAT(
      registry_.reserve_guests(test_requests("db", 1), options),
      FailsWith(ErrorCode::no_space, "the MAC prefix 02:00:00:00:01 has 0 of its 256 addresses left, 1 are needed"));
  value_of(registry_.drop_guests(std::vector<std::string>{"web-17"}));
  const auto again = value_of(registry_.reserve_guests(test_requests("db", 1), options));
  EXPECT_THAT(again[0].identity.macs[0], AllOf(StartsWith("02:00:00:00:01:"), Not("02:00:00:00:01:00")));
}

TEST_F(RegistryGuests, NoInterfaces) {
  auto request = test_request("web");
  request.interfaces = 0;
  EXPECT_THAT(value_of(registry_.reserve_guests(std::vector{request}, test_options()))[0].identity.macs, IsEmpty());
}

TEST_F(RegistryGuests, DroppedNamesAreFree) {
  add_guests(registry_, "web", 3);
  value_of(registry_.drop_guests(std::vector<std::string>{"web-1", "web-2", "never-there"}));
  EXPECT_THAT(names_of(value_of(registry_.list_guests())), ElementsAre("web-3"));
  value_of(registry_.reserve_guests(test_requests("web", 2), test_options()));
}

TEST_F(RegistryGuests, States) {
  add_guests(registry_, "web", 3);
  const std::vector<std::string> two{"web-3", "web-1"};
  const auto held = value_of(registry_.set_state(two, GuestState::resetting, "reset-1"));
  EXPECT_THAT(names_of(held), ElementsAre("web-3", "web-1"));
  EXPECT_EQ(held[0].state, GuestState::resetting);
  EXPECT_EQ(held[0].operation, "reset-1");
  EXPECT_THAT(registry_.set_state(std::vector<std::string>{"web-2", "web-3"}, GuestState::removing, "rm-1"),
              FailsWith(ErrorCode::busy, "another process is resetting the guest 'web-3' (operation reset-1)"));
  EXPECT_EQ(value_of(registry_.find_guest("web-2")).state, GuestState::ready);
  value_of(registry_.set_state(two, GuestState::ready, "reset-1"));
  EXPECT_EQ(value_of(registry_.find_guest("web-3")).operation, "");
  EXPECT_THAT(registry_.set_state(std::vector<std::string>{"web-1", "web-9"}, GuestState::removing, "rm"),
              FailsWith(ErrorCode::not_found, "there is no guest 'web-9'"));
  EXPECT_EQ(value_of(registry_.find_guest("web-1")).state, GuestState::ready);
}

TEST_F(RegistryGuests, ListsInNaturalOrderAndFiltered) {
  add_image(registry_, "silver");
  add_guests(registry_, "web", 11);
  value_of(registry_.reserve_guests(std::vector{test_request("db", "silver")}, test_options("other")));
  EXPECT_EQ(names_of(value_of(registry_.list_guests()))[2], "web-2");
  EXPECT_EQ(names_of(value_of(registry_.list_guests())).back(), "web-11");
  EXPECT_THAT(names_of(value_of(registry_.list_guests({.image = "silver"}))), ElementsAre("db"));
  EXPECT_THAT(names_of(value_of(registry_.list_guests({.state = GuestState::making}))), ElementsAre("db"));
  EXPECT_THAT(names_of(value_of(registry_.list_guests({.pattern = "web-1?"}))), ElementsAre("web-10", "web-11"));
  EXPECT_THAT(value_of(registry_.list_guests({.store = "dir:/else"})), IsEmpty());
  EXPECT_THAT(value_of(registry_.list_guests({.pattern = "'; DROP TABLE guests; --"})), IsEmpty());
}

TEST_F(RegistryGuests, NotFoundSaysWhatMayBeMeant) {
  add_guests(registry_, "webserver", 1);
  const auto missing = registry_.find_guest("webservr");
  EXPECT_THAT(missing, FailsWith(ErrorCode::not_found, "there is no guest 'webservr'"));
  EXPECT_EQ(missing.error().remedy, "did you mean 'webserver'?");
}

TEST_F(RegistryGuests, NextFreeNumber) {
  EXPECT_EQ(value_of(registry_.next_free_number("web")), 1U);
  add_guests(registry_, "web", 12);
  add_guests(registry_, "web-a", 1);
  add_guests(registry_, "webs", 40);
  EXPECT_EQ(value_of(registry_.next_free_number("web")), 13U);
}

TEST_F(RegistryGuests, Autostart) {
  add_guests(registry_, "web", 1);
  value_of(registry_.set_autostart("web", true));
  EXPECT_TRUE(value_of(registry_.find_guest("web")).autostart);
  EXPECT_THAT(registry_.set_autostart("wob", true), FailsWith(ErrorCode::not_found, HasSubstr("no guest 'wob'")));
}

}  // namespace
}  // namespace domsmith
