// The engine's place is taken by small scripts: what is tested is how a run is read, stopped and explained.
#include "imagebuild/packages/package_run.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <mutex>

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
  PackageRun run(const std::string& script) {
    auto child = Child::start(
        {.argv = {"/bin/sh", "-c", script}, .environment = {}, .working_directory = {}, .process_group = true});
    EXPECT_TRUE(child);
    return PackageRun::listen(std::move(*child), "bookworm", progress_);
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
  PackageRun package_run = run("echo 'I: unpacking essential packages' >&2; echo tar; echo 'I: writing the tree' >&2");
  EXPECT_EQ(read_all(package_run.tree()), "tar\n");
  EXPECT_TRUE(package_run.finish());
  EXPECT_THAT(progress_.texts(), ElementsAre("unpacking essential packages", "writing the tree"));
  EXPECT_THAT(progress_.bounds(), ElementsAre("begin packages", "end packages"));
}

TEST_F(PackageRunTest, ALotOnStderrDoesNotStopTheTar) {
  PackageRun package_run =
      run("i=0; while [ $i -lt 20000 ]; do echo 'a line that fills the pipe' >&2; i=$((i+1)); done; echo end");
  EXPECT_EQ(read_all(package_run.tree()), "end\n");
  EXPECT_TRUE(package_run.finish());
}

TEST_F(PackageRunTest, SaysWhyItFailed) {
  PackageRun package_run = run("echo 'E: Unable to locate package foo' >&2; exit 25");
  EXPECT_EQ(read_all(package_run.tree()), "");
  const auto finished = package_run.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "a package of the recipe does not exist in 'bookworm'");
}

TEST_F(PackageRunTest, KeepsTheLastLineWithoutNewline) {
  PackageRun package_run = run("printf 'the last words' >&2; exit 1");
  read_all(package_run.tree());
  const auto finished = package_run.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().what, "the installation failed: exit status 1");
  EXPECT_THAT(finished.error().causes, ElementsAre("the last words"));
}

TEST_F(PackageRunTest, AReaderThatGivesUpEndsIt) {
  // `wait` returns at once when the signal comes; the trap is a program's cleaning up.
  PackageRun package_run = run("trap 'echo cleaned >&2; exit 7' TERM; cat /dev/zero & wait");
  std::array<char, 16> some{};
  ASSERT_EQ(::read(package_run.tree(), some.data(), some.size()), 16);
  package_run.close_tree();
  EXPECT_TRUE(package_run.finish()) << "it was we who stopped it";
}

TEST_F(PackageRunTest, AReaderThatGivesUpEndsTheChildrenToo) {
  // The first process ignores the signal and waits for the one that works.
  PackageRun package_run = run("trap '' TERM; (trap - TERM; echo go; exec sleep 1000)");
  std::array<char, 3> go{};
  ASSERT_EQ(::read(package_run.tree(), go.data(), go.size()), 3);
  package_run.close_tree();
  EXPECT_TRUE(package_run.finish());
}

TEST_F(PackageRunTest, AFailureBeforeTheReaderGaveUpIsTold) {
  PackageRun package_run = run("echo 'E: No space left on device' >&2; exit 1");
  read_all(package_run.tree());
  package_run.close_tree();
  const auto finished = package_run.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::no_space);
}

TEST_F(PackageRunTest, ADaemonThatAScriptLeftDoesNotHoldItUp) {
  PackageRun package_run = run("sleep 100 >/dev/null & echo $!; exit 0");
  const std::string pid = read_all(package_run.tree());
  EXPECT_TRUE(package_run.finish());
  ::kill(std::stoi(pid), SIGKILL);
}

}  // namespace
}  // namespace domsmith::packages
