#include "base/process.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>

namespace domsmith {
namespace {

Command sh(const std::string& script) { return {{"/bin/sh", "-c", script}, {}, {}}; }

TEST(Run, feeds_and_drains) {
  const auto finished = run({{"/bin/cat"}, {}, {}}, {.input = std::string(300'000, 'x')});
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->status.success());
  EXPECT_EQ(finished->out.size(), 300'000U);
}

TEST(Run, tells_the_status) {
  EXPECT_EQ(run(sh("exit 3"))->status.describe(), "exit status 3");
  EXPECT_EQ(run(sh("kill -9 $$"))->status.describe(), "killed by SIGKILL");
}

TEST(Run, gives_a_clean_environment) {
  ::setenv("SECRET", "x", 1);
  const auto finished = run({{"/usr/bin/env"}, {"EXTRA=1"}, {}});
  EXPECT_EQ(finished->out.find("SECRET"), std::string::npos);
  EXPECT_NE(finished->out.find("EXTRA=1"), std::string::npos);
  EXPECT_NE(finished->out.find("PATH="), std::string::npos);
}

TEST(Run, keeps_the_end_of_stderr) {
  const auto finished = run(sh("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; echo last >&2"));
  EXPECT_LE(finished->err_tail.size(), 8192U);
  EXPECT_TRUE(finished->err_tail.ends_with("last\n"));
}

TEST(Run, ends_what_takes_too_long_or_prints_too_much) {
  EXPECT_FALSE(run(sh("exec sleep 60"), {.input = {}, .out_limit = 100, .timeout = std::chrono::milliseconds(50)}));
  EXPECT_FALSE(run(sh("exec yes"), {.input = {}, .out_limit = 10'000, .timeout = {}}));
}

TEST(Run, does_not_mind_a_program_that_reads_nothing) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto finished = run({{"/bin/true"}, {}, {}}, {.input = std::string(10'000'000, 'x')});
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->status.success());
}

TEST(Run, needs_an_absolute_path) {
  EXPECT_FALSE(run({{"cat"}, {}, {}}));
  EXPECT_EQ(run({{"/nonexistent/x"}, {}, {}}).error().code, ErrorCode::not_found);
}

TEST(RunChecked, shows_command_and_stderr) {
  const auto finished = run_checked(sh("echo why >&2; exit 1"));
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "/bin/sh -c 'echo why >&2; exit 1' failed: exit status 1");
  EXPECT_EQ(finished.error().causes, std::vector<std::string>{"why"});
}

TEST(Command, is_shown_as_a_person_could_type_it) {
  EXPECT_EQ((Command{{"/bin/x", "a b", "it's", ""}, {"A=1"}, {}}.display()), "A=1 /bin/x 'a b' 'it'\\''s' ''");
}

TEST(FindProgram, knows_the_package) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_EQ(find_program("no-such-program").error().code, ErrorCode::not_found);
}

TEST(Child, streams_and_is_reaped) {
  auto child = Child::start(sh("echo out; echo err >&2"));
  ASSERT_TRUE(child);
  std::array<std::byte, 100> buffer{};
  EXPECT_EQ(*read_some(child->out(), buffer), 4U);
  EXPECT_TRUE(child->wait()->success());
}

TEST(Child, that_is_dropped_is_ended) {
  pid_t pid = 0;
  {
    auto child = Child::start(sh("exec sleep 600"));
    pid = child->pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace domsmith
