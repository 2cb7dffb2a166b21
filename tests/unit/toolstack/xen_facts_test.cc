#include "provision/toolstack/xen_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;

class XenFactsTest : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) const {
    ASSERT_TRUE(write_file_atomic(temporary.path() / file, text).has_value());
  }
  XenFacts facts() const { return xen_facts(temporary.path()); }
  TemporaryDirectory temporary = TemporaryDirectory::make().value();
};

TEST_F(XenFactsTest, APlainHost) {
  EXPECT_FALSE(facts().runs_xen);
  EXPECT_THAT(require_xen(facts()).error().remedy, HasSubstr("apt-get install xen-system-amd64"));
  put("boot/xen-4.17-amd64.gz", "");
  EXPECT_TRUE(facts().hypervisor_installed);
  const auto result = require_xen(facts());
  EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  EXPECT_EQ(result.error().what, "this host does not run Xen");
  EXPECT_THAT(result.error().remedy, HasSubstr("boot this host with the Xen entry"));
}

TEST_F(XenFactsTest, OtherHypervisors) {
  put("sys/hypervisor/type", "kvm\n");
  EXPECT_FALSE(facts().runs_xen);
}

TEST_F(XenFactsTest, AGuestIsNotTheHost) {
  put("sys/hypervisor/type", "xen\n");
  put("sys/hypervisor/uuid", "8ad2a4e8-3f0c-4f62-9c39-0b8f5ab3a5d1\n");
  put("proc/xen/capabilities", "\n");
  EXPECT_TRUE(facts().runs_xen);
  EXPECT_FALSE(facts().is_dom0);
  EXPECT_THAT(require_xen(facts()).error().what, HasSubstr("is a Xen guest itself"));
}

TEST_F(XenFactsTest, ADom0WithoutItsDaemons) {
  put("sys/hypervisor/type", "xen\n");
  put("sys/hypervisor/version/major", "4\n");
  put("sys/hypervisor/version/minor", "17\n");
  put("sys/hypervisor/version/extra", ".5\n");
  put("proc/xen/capabilities", "control_d\n");
  EXPECT_TRUE(facts().is_dom0);
  EXPECT_EQ(facts().version, "4.17.5");
  EXPECT_EQ(require_xen(facts()).error().code, ErrorCode::denied);
  put("dev/xen/privcmd", "");
  EXPECT_THAT(require_xen(facts()).error().what, HasSubstr("xenstored does not run"));
  put("dev/xen/xenbus", "");
  put("proc/123/comm", "xenconsoled\n");
  EXPECT_TRUE(facts().xenconsoled);
  EXPECT_TRUE(require_xen(facts()).has_value());
}

TEST_F(XenFactsTest, Dom0ByItsUuid) {
  put("sys/hypervisor/type", "xen\n");
  put("sys/hypervisor/uuid", "00000000-0000-0000-0000-000000000000\n");
  EXPECT_TRUE(facts().is_dom0) << "/proc/xen need not be mounted";
}

}  // namespace
}  // namespace domsmith
