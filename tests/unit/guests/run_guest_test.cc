// Stopping several guests: all are asked before any is waited for, and one that does not listen holds up nobody.
#include "provision/guests/run_guest.h"

#include "provision/toolstack/fake_toolstack.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StopTest : public RegistryTest {
 protected:
  void SetUp() override {
    add_image(registry_);
    guests_ = add_guests(registry_, "web", 3);
    const auto store = value_of(open_store(kMemory));
    value_of(store->create("gold", 1U << 20));
    value_of(store->seal("gold"));
    value_of(store->clone("gold", names_of(guests_)));
    for (const GuestRecord& guest : guests_) {
      value_of(store->activate(guest.volume));
      DomainSpec spec;
      spec.name = guest.name;
      spec.uuid = guest.uuid;
      spec.memory_mib = spec.maxmem_mib = 128;
      spec.kernel = "/boot/vmlinuz";
      value_of(toolstack_.create(spec));
    }
  }
  void TearDown() override {
    const auto store = value_of(open_store(kMemory));
    for (const GuestRecord& guest : guests_) {
      value_of(store->deactivate(guest.volume));
    }
    value_of(store->remove(names_of(guests_)));
    value_of(store->remove(std::vector<std::string>{"gold"}));
  }
  Result<void> stop(bool force = false) {
    return stop_guests(place_, toolstack_, guests_, {.patience = std::chrono::milliseconds(1), .force = force});
  }
  // A volume that is in use cannot be opened for writing.
  static bool put_away(const std::string& volume) {
    return value_of(open_store(kMemory))->open(volume, Access::read_write).has_value();
  }

  static constexpr const char* kMemory = "memory:stop";
  Registry registry_ = open();
  Workplace place_{.registry = registry_,
                   .journal = Journal(directory_.path() / "journal"),
                   .state = directory_.path(),
                   .boot = directory_.path() / "boot",
                   .xen = directory_.path() / "xen",
                   .open_store = [](std::string_view) { return open_store(kMemory); }};
  FakeToolstack toolstack_;
  std::vector<GuestRecord> guests_;
};

TEST_F(StopTest, AllAreAskedAtOnce) {
  value_of(stop());
  EXPECT_THAT(toolstack_.shutdowns(), ElementsAre(3U));
  EXPECT_TRUE(value_of(toolstack_.list()).empty());
  EXPECT_TRUE(put_away("web-1") && put_away("web-2") && put_away("web-3"));
}

TEST_F(StopTest, WhoDoesNotListenIsToldAndHoldsUpNobody) {
  toolstack_.ignores_shutdown("web-1");
  value_of(toolstack_.destroy("web-2"));
  const auto stopped = stop();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().what, "guest 'web-2' is not running");
  ASSERT_EQ(stopped.error().others.size(), 1U);
  EXPECT_EQ(stopped.error().others.front().code, ErrorCode::busy);
  EXPECT_THAT(stopped.error().others.front().remedy, HasSubstr("domsmith guest stop web-1 --force"));
  EXPECT_THAT(value_of(toolstack_.list()), testing::SizeIs(1));
  EXPECT_FALSE(put_away("web-1"));
  EXPECT_TRUE(put_away("web-3"));
}

TEST_F(StopTest, ForceTakesAwayWhoDoesNotListen) {
  toolstack_.ignores_shutdown("web-2");
  value_of(stop(true));
  EXPECT_TRUE(value_of(toolstack_.list()).empty());
  EXPECT_TRUE(put_away("web-2"));
}

}  // namespace
}  // namespace domsmith
