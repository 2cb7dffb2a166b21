// The kernel's devices of a group, by their names.
#include "lvm-snapshots/lvm_kernel.h"

#include <gmock/gmock.h>

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LvmGroup group_of(const std::string& name, const std::vector<std::string>& volumes) {
  LvmGroup group;
  group.name = name;
  for (const std::string& volume : volumes) {
    group.volumes.emplace_back().name = volume;
  }
  return group;
}

TEST(LvmKernelTest, DevicesOfVolumesThatAreThereAreAllRight) {
  const LvmGroup group = group_of("vg0", {"gold", "pool", "web-1"});
  const std::vector<std::string> names = {"vg0-pool",      "vg0-pool-tpool", "vg0-pool_tmeta", "vg0-pool_tdata",
                                          "vg0-gold-real", "vg0-web--1",     "vg0-web--1-cow"};
  EXPECT_THAT(without_volume(names, group), IsEmpty());
}

TEST(LvmKernelTest, DevicesOfVolumesThatAreNotThere) {
  const LvmGroup group = group_of("vg0", {"web"});
  const std::vector<std::string> names = {"vg0-web", "vg0-web--1", "vg0-web--2-real", "vg0-web--"};
  EXPECT_THAT(without_volume(names, group), ElementsAre("vg0-web--1", "vg0-web--2-real"));
}

TEST(LvmKernelTest, OtherGroupsAndOtherDevicesAreNotSpokenOf) {
  const LvmGroup group = group_of("vg0", {});
  const std::vector<std::string> names = {"vg0--x-web", "vg01-web", "luks-1", "vg0"};
  EXPECT_THAT(without_volume(names, group), IsEmpty());
  EXPECT_THAT(without_volume(std::vector<std::string>{"vg0--x-web"}, group_of("vg0-x", {})), ElementsAre("vg0--x-web"));
}

}  // namespace
}  // namespace domsmith
