// LVM's locks of a group, as its commands take them.
#include "lvm-snapshots/lvm_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

namespace {

TEST(LvmLock, TheFileGoesWithTheLockAndWaitersFindTheNewOne) {
  const auto folder = TemporaryDirectory::make().value();
  {
    const auto lock = LvmLock::acquire(folder.path(), "vg0");
    ASSERT_TRUE(ok(lock));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "V_vg0"));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "P_global"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "V_vg0:aux"));
    EXPECT_TRUE(fails(FileLock::try_acquire(folder.path() / "V_vg0"), ErrorCode::busy));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  // Two processes count under the lock; a lock on a file without a name would let both in.
  const auto counter = folder.path() / "counter";
  ASSERT_TRUE(ok(write_file_atomic(counter, "0")));
  const auto count = [&] {
    for (int i = 0; i < 200; ++i) {
      const auto lock = LvmLock::acquire(folder.path(), "vg0");
      const int number = std::stoi(read_file(counter).value());
      (void)write_file_atomic(counter, std::to_string(number + 1));
    }
  };
  const pid_t child = ::fork();
  count();
  if (child == 0) {
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(read_file(counter).value(), "400");
}

}  // namespace

}  // namespace domsmith::testing
