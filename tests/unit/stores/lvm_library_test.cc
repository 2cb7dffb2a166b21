#include "lvm-snapshots/lvm_library.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace domsmith {
namespace {

mode_t umask_now() {
  const mode_t now = ::umask(S_IRWXO);
  ::umask(now);
  return now;
}

// An installation whose volumes were made in the process wrote folders that nobody but root could enter: networkd read
// nothing of them.
TEST(LvmLibrary, LeavesTheUmaskAsItWas) {
  const mode_t before = ::umask(S_IWGRP | S_IWOTH);
  {
    const auto lvm = LvmLibrary::get();
    ASSERT_TRUE(lvm) << lvm.error().what;
    EXPECT_EQ(umask_now(), S_IWGRP | S_IWOTH);
    EXPECT_TRUE((*lvm)->run({"version"}).success);
    EXPECT_EQ(umask_now(), S_IWGRP | S_IWOTH);
  }
  ::umask(before);
}

}  // namespace
}  // namespace domsmith
