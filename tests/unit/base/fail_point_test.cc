#include "base/fail_point.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/file.h"

namespace domsmith {
namespace {

int status_of_child(const char* setting, void (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("DOMSMITH_FAIL", setting, 1);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(FailPoint, kills_at_the_named_place_only) {
  int status = status_of_child("here", [] { (void)fail_point("there"); });
  EXPECT_TRUE(WIFEXITED(status));
  status = status_of_child("here", [] { (void)fail_point("here"); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(FailPoint, ends_the_first_process_of_a_pid_namespace_too) {
  const int status = status_of_child("here", [] {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
      ::_exit(77);
    }
    const pid_t first = ::fork();
    if (first == 0) {
      (void)fail_point("here");
      ::_exit(0);
    }
    for (int tenths = 0; tenths < 50; ++tenths) {
      int ended = 0;
      if (::waitpid(first, &ended, WNOHANG) == first) {
        ::_exit(WIFEXITED(ended) ? WEXITSTATUS(ended) : 1);
      }
      ::usleep(100'000);
    }
    ::kill(first, SIGKILL);
    ::_exit(2);
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "no namespaces here";
  }
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGKILL);
}

TEST(FailPoint, counts_passes) {
  int status = status_of_child("loop:3", [] {
    (void)fail_point("loop");
    (void)fail_point("loop");
  });
  EXPECT_TRUE(WIFEXITED(status));
  status = status_of_child("loop:2", [] {
    (void)fail_point("loop");
    (void)fail_point("loop");
  });
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(FailPoint, can_return_an_error) {
  const int status = status_of_child("e=error", [] { ::_exit(fail_point("e") ? 1 : 42); });
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(FailPoint, traces_what_is_passed) {
  const auto dir = TemporaryDirectory::make();
  const std::string file = dir->path() / "trace";
  ::setenv("DOMSMITH_FAIL_TRACE", file.c_str(), 1);
  (void)fail_point("one");
  (void)fail_point("two");
  ::unsetenv("DOMSMITH_FAIL_TRACE");
  EXPECT_EQ(*read_file(file), "one\ntwo\n");
}

}  // namespace
}  // namespace domsmith
