// Whether a batch fits, and what is short where it does not.
#include <gmock/gmock.h>

#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

StoreStatus pool() {
  StoreStatus status;
  status.description = "thin pool vg0/pool";
  status.limits = {{.what = "pool data", .size = 10U << 20, .free = 1U << 20, .bytes = true, .each = 128U << 10},
                   {.what = "pool metadata", .size = 4U << 20, .free = 1U << 20, .bytes = true, .each = 16U << 10},
                   {.what = "device numbers", .size = 100, .free = 20, .bytes = false, .each = 1}};
  return status;
}

std::vector<std::string> short_of(std::size_t count, std::uint64_t copy = 0) {
  const auto admitted = admit_clones(pool(), count, copy);
  return admitted ? std::vector<std::string>() : admitted.error().causes;
}

TEST(AdmissionTest, WhatFitsIsAdmitted) {
  EXPECT_THAT(short_of(8), IsEmpty());
  EXPECT_THAT(short_of(0), IsEmpty());
}

TEST(AdmissionTest, EachShortfallIsNamedWithWhatWouldFit) {
  EXPECT_THAT(short_of(9), ElementsAre("pool data: 1.1 MiB needed, 1.0 MiB free, enough for 8"));
  EXPECT_THAT(short_of(100), ElementsAre("pool data: 12.5 MiB needed, 1.0 MiB free, enough for 8",
                                         "pool metadata: 1.6 MiB needed, 1.0 MiB free, enough for 64",
                                         "device numbers: 100 needed, 20 free, enough for 20"));
  const auto refused = admit_clones(pool(), 100, 0);
  EXPECT_TRUE(fails(refused, ErrorCode::no_space));
  EXPECT_EQ(refused.error().what, "100 clones do not fit into thin pool vg0/pool");
  EXPECT_FALSE(refused.error().remedy.empty());
}

TEST(AdmissionTest, CopiesTakeWhatTheyCopy) {
  EXPECT_THAT(short_of(2, 1U << 19), IsEmpty());
  EXPECT_THAT(short_of(3, 1U << 19), ElementsAre("pool data: 1.5 MiB needed, 1.0 MiB free, enough for 2"));
}

TEST(AdmissionTest, NoNumberIsTooLargeToBeReckoned) { EXPECT_EQ(short_of(SIZE_MAX).size(), 3U); }

TEST(AdmissionTest, AStoreWithoutLimitsAdmitsAll) { EXPECT_TRUE(ok(admit_clones(StoreStatus(), 1'000'000, 1U << 30))); }

}  // namespace
}  // namespace domsmith::testing
