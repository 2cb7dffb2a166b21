#include "toolstack_contract.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/error_text.h"

namespace domsmith {

using ::testing::HasSubstr;
using std::chrono_literals::operator""s;

void ToolstackContract::SetUp() {
  host_ = GetParam().make();
  if (const auto reason = host_->skip_reason(); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
}

void ToolstackContract::TearDown() {
  if (!host_ || !host_->skip_reason().empty()) {
    return;
  }
  for (const auto* name : {"contract-a", "contract-b"}) {
    static_cast<void>(toolstack().destroy(name));
  }
}

namespace {

TEST_P(ToolstackContract, AGuestRunsUntilItIsDestroyed) {
  const auto meant = spec("contract-a");
  const auto made = toolstack().create(meant);
  ASSERT_TRUE(made.has_value()) << error_text(made.error());
  EXPECT_GT(made->domid, 0U);
  EXPECT_EQ(made->name, meant.name);
  EXPECT_EQ(made->uuid, meant.uuid);
  EXPECT_EQ(made->state, DomainState::running);
  EXPECT_EQ(made->type, type_word(meant.type));
  EXPECT_EQ(made->memory_mib, meant.memory_mib);
  EXPECT_EQ(made->vcpus, meant.vcpus);

  const auto found = toolstack().find("contract-a").value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->domid, made->domid);
  const auto all = toolstack().list().value();
  EXPECT_EQ(std::ranges::count(all, "contract-a", &RunningDomain::name), 1);
  EXPECT_EQ(std::ranges::count(all, 0U, &RunningDomain::domid), 0) << "dom0 is no guest";

  const auto gone = toolstack().destroy("contract-a");
  ASSERT_TRUE(gone.has_value()) << error_text(gone.error());
  EXPECT_FALSE(toolstack().find("contract-a").value().has_value());
}

TEST_P(ToolstackContract, ANameOrUuidIsTakenOnce) {
  const auto first = spec("contract-a");
  ASSERT_TRUE(toolstack().create(first).has_value());
  EXPECT_EQ(toolstack().create(first).error().code, ErrorCode::exists);
  auto second = spec("contract-b");
  second.uuid = first.uuid;
  EXPECT_EQ(toolstack().create(second).error().code, ErrorCode::exists);
  auto third = first;
  third.uuid.back() = third.uuid.back() == '0' ? '1' : '0';
  EXPECT_EQ(toolstack().create(third).error().code, ErrorCode::exists);
  EXPECT_EQ(toolstack().list().value().size(), 1U);
}

TEST_P(ToolstackContract, WhoDoesNotRunCannotBeMoved) {
  EXPECT_FALSE(toolstack().find("contract-a").value().has_value());
  EXPECT_EQ(toolstack().shutdown("contract-a", 1s).error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().destroy("contract-a").error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().pause("contract-a").error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().unpause("contract-a").error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().console("contract-a").error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().destroy("../../etc/passwd").error().code, ErrorCode::bad_input);
}

TEST_P(ToolstackContract, PauseAndUnpause) {
  ASSERT_TRUE(toolstack().create(spec("contract-a")).has_value());
  ASSERT_TRUE(toolstack().pause("contract-a").has_value());
  EXPECT_EQ(toolstack().find("contract-a").value()->state, DomainState::paused);
  ASSERT_TRUE(toolstack().unpause("contract-a").has_value());
  EXPECT_EQ(toolstack().find("contract-a").value()->state, DomainState::running);
}

TEST_P(ToolstackContract, AGuestPowersOffWhenAsked) {
  ASSERT_TRUE(toolstack().create(spec("contract-a")).has_value());
  host_->wait_until_up("contract-a");
  const auto stopped = toolstack().shutdown("contract-a", 180s);
  ASSERT_TRUE(stopped.has_value()) << error_text(stopped.error());
  EXPECT_FALSE(toolstack().find("contract-a").value().has_value());
  const auto again = toolstack().create(spec("contract-a"));
  EXPECT_TRUE(again.has_value()) << error_text(again.error());
}

TEST_P(ToolstackContract, MoreMemoryThanThereIs) {
  auto large = spec("contract-a");
  large.memory_mib = large.maxmem_mib = 8U << 20;
  const auto result = toolstack().create(large);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::no_space) << error_text(result.error());
  EXPECT_THAT(result.error().what, HasSubstr("MiB are free"));
  EXPECT_FALSE(toolstack().find("contract-a").value().has_value());
  EXPECT_LT(toolstack().free_memory_mib().value(), large.memory_mib);
}

TEST_P(ToolstackContract, WhatIsNoDomainIsNotMade) {
  auto bad = spec("contract-a");
  bad.kernel = "vmlinuz";
  EXPECT_EQ(toolstack().create(bad).error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace domsmith
