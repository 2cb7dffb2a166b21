// mmdebstrap's place is taken by small scripts: what is tested is how a run is started, read, stopped and explained.
#include "imagebuild/packages/package_run.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <mutex>

#include "base/file.h"
#include "imagebuild/boot/agent/embedded.h"

namespace domsmith::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Recorder final : public Progress {
 public:
  void event(const ProgressEvent& event) override {
    const std::scoped_lock lock(mutex_);
    if (event.kind == ProgressEvent::Kind::begin || event.kind == ProgressEvent::Kind::end) {
      bounds_.push_back((event.kind == ProgressEvent::Kind::begin ? "begin " : "end ") + event.stage);
    } else {
      texts_.push_back(event.text);
    }
  }
  std::vector<std::string> texts() {
    const std::scoped_lock lock(mutex_);
    return texts_;
  }
  std::vector<std::string> bounds() {
    const std::scoped_lock lock(mutex_);
    return bounds_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
  std::vector<std::string> bounds_;
};

class PackageRunTest : public testing::Test {
 protected:
  PackagePlan plan_of(const std::string& script) {
    PackagePlan plan;
    plan.suite = "bookworm";
    plan.command.argv = {"/bin/sh", "-c", script};
    plan.hooks = {{"customize", "customize.steps", {{.title = "one"}}}};
    return plan;
  }

  static std::string read_all(int fd) {
    std::string out;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; (count = ::read(fd, buffer.data(), buffer.size())) > 0;) {
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return out;
  }

  Recorder progress_;
};

TEST_F(PackageRunTest, GivesStdoutAndShowsStages) {
  auto run = PackageRun::start(
      plan_of("echo 'I: running apt-get update...' >&2; echo tar; echo 'I: creating tarball' >&2"), progress_);
  ASSERT_TRUE(run);
  EXPECT_EQ(read_all(run->tar()), "tar\n");
  EXPECT_TRUE(run->finish());
  EXPECT_THAT(progress_.texts(), ElementsAre("reading package lists", "writing the tree"));
  EXPECT_THAT(progress_.bounds(), ElementsAre("begin packages", "end packages"));
}

TEST_F(PackageRunTest, RunsInAFolderWithAgentAndSteps) {
  auto run = PackageRun::start(plan_of("cat customize.steps; wc -c <agent; pwd"), progress_);
  ASSERT_TRUE(run);
  const std::string out = read_all(run->tar());
  EXPECT_TRUE(run->finish());
  EXPECT_THAT(out, HasSubstr(agent::encode_steps({{.title = "one"}})));
  EXPECT_THAT(out, HasSubstr(std::to_string(agent::agent_program().size())));
  const std::string folder = out.substr(out.rfind("\n/") + 1, out.size() - out.rfind("\n/") - 2);
  EXPECT_NE(::access(folder.c_str(), F_OK), 0) << folder << " was left behind";
}

TEST_F(PackageRunTest, LeavesItsFilesOnlyWhereItIsTold) {
  const auto work = TemporaryDirectory::make();
  ASSERT_TRUE(work);
  auto run = PackageRun::start(plan_of("pwd; ls"), progress_, work->path());
  ASSERT_TRUE(run);
  EXPECT_EQ(read_all(run->tar()), work->path().string() + "\nagent\ncustomize.steps\n");
  EXPECT_TRUE(run->finish());
}

TEST_F(PackageRunTest, ALotOnStderrDoesNotStopTheTar) {
  auto run = PackageRun::start(
      plan_of("i=0; while [ $i -lt 20000 ]; do echo 'a line that fills the pipe' >&2; i=$((i+1)); done; echo end"),
      progress_);
  ASSERT_TRUE(run);
  EXPECT_EQ(read_all(run->tar()), "end\n");
  EXPECT_TRUE(run->finish());
}

TEST_F(PackageRunTest, SaysWhyItFailed) {
  auto run = PackageRun::start(plan_of("echo 'E: Unable to locate package foo' >&2; exit 25"), progress_);
  ASSERT_TRUE(run);
  EXPECT_EQ(read_all(run->tar()), "");
  const auto finished = run->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "a package of the recipe does not exist in 'bookworm'");
}

TEST_F(PackageRunTest, KeepsTheLastLineWithoutNewline) {
  auto run = PackageRun::start(plan_of("printf 'the last words' >&2; exit 1"), progress_);
  ASSERT_TRUE(run);
  read_all(run->tar());
  const auto finished = run->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "mmdebstrap failed: exit status 1");
  EXPECT_THAT(finished.error().causes, ElementsAre("the last words"));
}

TEST_F(PackageRunTest, AReaderThatGivesUpEndsIt) {
  // `wait` returns at once when the signal comes; the trap is mmdebstrap's cleaning up.
  auto run = PackageRun::start(plan_of("trap 'echo cleaned >&2; exit 7' TERM; cat /dev/zero & wait"), progress_);
  ASSERT_TRUE(run);
  std::array<char, 16> some{};
  ASSERT_EQ(::read(run->tar(), some.data(), some.size()), 16);
  run->close_tar();
  EXPECT_TRUE(run->finish()) << "it was we who stopped it";
}

TEST_F(PackageRunTest, AReaderThatGivesUpEndsTheChildrenToo) {
  // As mmdebstrap does: the first process ignores the signal and waits for the one that works.
  auto run = PackageRun::start(
      plan_of("trap '' TERM; (trap - TERM; echo go; exec sleep 1000); echo 'I: removing tempdir' >&2"), progress_);
  ASSERT_TRUE(run);
  std::array<char, 3> go{};
  ASSERT_EQ(::read(run->tar(), go.data(), go.size()), 3);
  run->close_tar();
  EXPECT_TRUE(run->finish());
}

TEST_F(PackageRunTest, AFailureBeforeTheReaderGaveUpIsTold) {
  auto run = PackageRun::start(plan_of("echo 'E: No space left on device' >&2; exit 1"), progress_);
  ASSERT_TRUE(run);
  read_all(run->tar());
  run->close_tar();
  const auto finished = run->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::no_space);
}

TEST_F(PackageRunTest, ADaemonThatAScriptLeftDoesNotHoldItUp) {
  auto run = PackageRun::start(plan_of("sleep 100 >/dev/null & echo $!; exit 0"), progress_);
  ASSERT_TRUE(run);
  const std::string pid = read_all(run->tar());
  EXPECT_TRUE(run->finish());
  ::kill(std::stoi(pid), SIGKILL);
}

TEST_F(PackageRunTest, AUserNamespaceNeedsATemporaryFolderThatIsOpen) {
  const auto folder = TemporaryDirectory::make();  // mode 0700
  ASSERT_TRUE(folder);
  PackagePlan plan = plan_of("true");
  plan.mode = PackagePlan::Mode::unshare;
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before != nullptr ? before : "/tmp";
  ::setenv("TMPDIR", folder->path().c_str(), 1);
  const auto closed = PackageRun::start(plan, progress_);
  ::setenv("TMPDIR", (folder->path() / "absent").c_str(), 1);
  const auto absent = PackageRun::start(plan, progress_);
  ::setenv("TMPDIR", saved.c_str(), 1);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, ErrorCode::denied);
  EXPECT_THAT(closed.error().what, HasSubstr("closed to other users"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
}

TEST_F(PackageRunTest, ProgramThatIsNotThere) {
  PackagePlan plan = plan_of("");
  plan.command.argv = {"/nonexistent/mmdebstrap"};
  const auto run = PackageRun::start(plan, progress_);
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().what, HasSubstr("/nonexistent/mmdebstrap"));
}

}  // namespace
}  // namespace domsmith::packages
