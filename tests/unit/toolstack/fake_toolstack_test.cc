#include "provision/toolstack/fake_toolstack.h"

#include <gtest/gtest.h>

#include "sample_guest.h"
#include "toolstack_contract.h"

namespace domsmith {
namespace {

class FakeHost final : public ContractHost {
 public:
  Toolstack& toolstack() override { return toolstack_; }
  DomainSpec spec(const std::string& name, DomainType type) override { return sample_guest(name, type); }
  void wait_until_up(const std::string&) override {}

 private:
  FakeToolstack toolstack_;
};

std::unique_ptr<ContractHost> fake_host() { return std::make_unique<FakeHost>(); }

INSTANTIATE_TEST_SUITE_P(InMemory, ToolstackContract,
                         ::testing::Values(ContractCase{"pv", DomainType::pv, fake_host},
                                           ContractCase{"pvh", DomainType::pvh, fake_host}));

TEST(FakeToolstack, GuestsEndAsTheirSpecSays) {
  FakeToolstack toolstack;
  auto spec = sample_guest("web-a", DomainType::pvh);
  spec.on_crash = DomainAction::preserve;
  const auto first = toolstack.create(spec).value().domid;
  ASSERT_TRUE(toolstack.guest_reboots("web-a").has_value());
  EXPECT_NE(toolstack.find("web-a").value()->domid, first) << "a new domain of the same guest";
  ASSERT_TRUE(toolstack.guest_crashes("web-a").has_value());
  EXPECT_EQ(toolstack.find("web-a").value()->state, DomainState::crashed) << "preserved";
  ASSERT_TRUE(toolstack.shutdown("web-a", std::chrono::seconds(1)).has_value());
  ASSERT_TRUE(toolstack.create(spec).has_value());
  ASSERT_TRUE(toolstack.guest_powers_off("web-a").has_value());
  EXPECT_FALSE(toolstack.find("web-a").value().has_value());
}

TEST(FakeToolstack, AGuestThatDoesNotListen) {
  FakeToolstack toolstack;
  ASSERT_TRUE(toolstack.create(sample_guest("web-a", DomainType::pv)).has_value());
  toolstack.ignores_shutdown("web-a");
  EXPECT_EQ(toolstack.shutdown("web-a", std::chrono::seconds(1)).error().code, ErrorCode::busy);
  EXPECT_TRUE(toolstack.destroy("web-a").has_value());
}

}  // namespace
}  // namespace domsmith
