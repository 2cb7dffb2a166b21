#include "provision/toolstack/creation_remedy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace domsmith {
namespace {

using ::testing::HasSubstr;

std::string remedy(const std::vector<std::string>& log) { return creation_remedy(log); }

// The lines are libxl's own, from domains that could not be created.
TEST(CreationRemedy, ScriptsThatTookTooLong) {
  EXPECT_THAT(
      remedy({"libxl_aoutils.c:539:async_exec_timeout: killing execution of /etc/xen/scripts/block add because of "
              "timeout",
              "libxl_create.c:1672:domcreate_launch_dm: Domain 4:unable to add disk devices"}),
      HasSubstr("less busy"));
}

TEST(CreationRemedy, ScriptsThatFailed) {
  EXPECT_THAT(
      remedy({"libxl_exec.c:117:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge online [1] exited with "
              "error status 1"}),
      HasSubstr("xen-hotplug.log"));
}

TEST(CreationRemedy, KernelsThatXenDoesNotKnow) {
  EXPECT_THAT(remedy({"panic: xg_dom_core.c:689:xc_dom_find_loader: no loader found: Invalid kernel"}),
              HasSubstr("the other type"));
}

TEST(CreationRemedy, NothingToSay) { EXPECT_EQ(remedy({"libxl_create.c:1:x: cannot make domain: -3"}), ""); }

}  // namespace
}  // namespace domsmith
