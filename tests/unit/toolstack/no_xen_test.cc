// A host that does not run Xen, as most that build this do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provision/toolstack/monitor.h"
#include "provision/toolstack/toolstack.h"
#include "provision/toolstack/xen_facts.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;

TEST(NoXen, SaysSoInOneSentenceAndPrintsNothing) {
  if (xen_facts().runs_xen) {
    GTEST_SKIP() << "this host runs Xen";
  }
  testing::internal::CaptureStderr();
  const auto toolstack = open_toolstack();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_FALSE(toolstack.has_value());
  EXPECT_EQ(toolstack.error().code, ErrorCode::unsupported);
  EXPECT_EQ(toolstack.error().what, "this host does not run Xen");
  EXPECT_THAT(toolstack.error().remedy, HasSubstr("domsmith doctor"));
}

}  // namespace
}  // namespace domsmith
