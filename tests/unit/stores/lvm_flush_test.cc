// Which disks a group stands on, by sysfs.
#include "lvm-snapshots/lvm_flush.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace domsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LvmFlushTest : public ::testing::Test {
 protected:
  void device(const std::string& number, const std::string& name, const std::vector<std::string>& slaves) const {
    const std::filesystem::path folder = folder_.path() / "block" / number;
    std::filesystem::create_directories(folder / "dm");
    ASSERT_TRUE(write_file_atomic(folder / "dm/name", name + "\n"));
    for (const std::string& slave : slaves) {
      std::filesystem::create_directories(folder / "slaves" / slave);
    }
  }
  TemporaryDirectory folder_ = *TemporaryDirectory::make();
};

TEST_F(LvmFlushTest, WhatIsBelowTheGroupAndNotOfIt) {
  device("dm-0", "mpatha", {"sda", "sdb"});
  device("dm-1", "vg--0-pool_tmeta", {"sdc2"});
  device("dm-2", "vg--0-pool_tdata", {"dm-0", "cciss!c0d0"});
  device("dm-3", "vg--0-pool-tpool", {"dm-1", "dm-2"});
  device("dm-4", "vg-0--x", {"sdx"});
  std::filesystem::create_directories(folder_.path() / "block/sda");
  EXPECT_THAT(disks_below("vg-0", folder_.path()), ElementsAre("/dev/cciss/c0d0", "/dev/dm-0", "/dev/sdc2"));
  EXPECT_THAT(disks_below("vg", folder_.path()), ElementsAre("/dev/sdx"));
  EXPECT_THAT(disks_below("other", folder_.path()), IsEmpty());
  EXPECT_THAT(disks_below("vg-0", folder_.path() / "nothing"), IsEmpty());
}

}  // namespace
}  // namespace domsmith
