#include "provision/toolstack/guest_locks.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace domsmith {
namespace {

class GuestLocksTest : public ::testing::Test {
 protected:
  // A child that is the guest's monitor until it is killed.
  pid_t monitor_in_child() const {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto mine = locks.become_monitor();
      EXPECT_EQ(::write(ends[1], mine ? "1" : "0", 1), 1);
      for (;;) {
        ::pause();
      }
    }
    char ready = '0';
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    EXPECT_EQ(ready, '1');
    ::close(ends[0]);
    ::close(ends[1]);
    return child;
  }
  static void end(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  TemporaryDirectory temporary = TemporaryDirectory::make().value();
  GuestLocks locks{temporary.path(), "web-1"};
};

TEST_F(GuestLocksTest, AWishToStopIsSeenWhileItLasts) {
  EXPECT_FALSE(locks.stop_is_wanted().value());
  {
    const auto one = locks.want_stop().value();
    const auto other = locks.want_stop().value();
    EXPECT_TRUE(locks.stop_is_wanted().value()) << "and two may wish it at once";
  }
  EXPECT_FALSE(locks.stop_is_wanted().value());
}

TEST_F(GuestLocksTest, OtherUsersCannotHoldThem) {
  ASSERT_TRUE(locks.lock().has_value());
  EXPECT_EQ(std::filesystem::status(temporary.path() / "guests").permissions(), std::filesystem::perms(0700));
}

TEST_F(GuestLocksTest, AMonitorIsSeenWhileItLives) {
  EXPECT_FALSE(locks.monitor_lives().value());
  EXPECT_TRUE(locks.wait_for_monitor(std::chrono::milliseconds(0)).has_value());
  const pid_t child = monitor_in_child();
  EXPECT_TRUE(locks.monitor_lives().value());
  EXPECT_TRUE(locks.monitor_lives().value()) << "asking takes nothing";
  EXPECT_EQ(locks.wait_for_monitor(std::chrono::milliseconds(1)).error().code, ErrorCode::busy);
  end(child);
  EXPECT_FALSE(locks.monitor_lives().value());
}

TEST_F(GuestLocksTest, WaitingEndsWithTheMonitor) {
  const pid_t child = monitor_in_child();
  ::kill(child, SIGKILL);
  EXPECT_TRUE(locks.wait_for_monitor(std::chrono::minutes(1)).has_value());
  ::waitpid(child, nullptr, 0);
}

TEST_F(GuestLocksTest, AFileOfADeadMonitorIsNoMonitor) {
  end(monitor_in_child());
  EXPECT_TRUE(locks.wait_for_monitor(std::chrono::milliseconds(0)).has_value());
  end(monitor_in_child());
}

}  // namespace
}  // namespace domsmith
