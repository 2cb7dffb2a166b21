// The transcripts are apt 2.6's and dpkg 1.21's, as they came.
#include "imagebuild/packages/run_log.h"

#include <gmock/gmock.h>

#include "base/text.h"

namespace domsmith::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Error failure_of(std::string_view transcript) {
  RunLog log;
  for (const std::string& line : split_lines(transcript)) {
    log.line(line);
  }
  return log.failure({.code = 25, .signal = 0}, "bookworm");
}

TEST(RunLog, ShowsStagesOnce) {
  RunLog log;
  EXPECT_FALSE(log.line("Setting up base-passwd (3.6.1) ..."));
  const auto first = log.line("I: unpacking essential packages");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->text, "unpacking essential packages");
  EXPECT_EQ(first->done, 0U);
  EXPECT_EQ(first->total, RunLog::stages().size());
  EXPECT_FALSE(log.line("I: unpacking essential packages"));
  const auto last = log.line("I: writing the tree");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->done, RunLog::stages().size() - 1);
}

TEST(RunLog, UnknownPackage) {
  const Error error = failure_of(
      "Reading package lists...\nBuilding dependency tree...\n"
      "E: Unable to locate package nosuchpackage\n");
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_EQ(error.what, "a package of the recipe does not exist in 'bookworm'");
  EXPECT_THAT(error.causes, ElementsAre("E: Unable to locate package nosuchpackage"));
}

TEST(RunLog, MirrorThatCannotBeResolved) {
  const Error error = failure_of(
      "Err:1 http://nosuch.invalid/debian bookworm InRelease\n  Could not resolve 'nosuch.invalid'\n"
      "E: Failed to fetch http://nosuch.invalid/debian/dists/bookworm/InRelease  Could not resolve 'nosuch.invalid'\n"
      "E: Some index files failed to download. They have been ignored, or old ones used instead.\n");
  EXPECT_EQ(error.what, "the mirror's name cannot be resolved");
  EXPECT_EQ(error.causes.size(), 1U);
}

TEST(RunLog, MirrorThatRefuses) {
  EXPECT_EQ(failure_of("E: Failed to fetch http://127.0.0.1:9/x  Could not connect to 127.0.0.1:9 (127.0.0.1). - "
                       "connect (111: Connection refused)\n")
                .what,
            "the mirror cannot be reached");
}

TEST(RunLog, ReleaseKeyAndComponentThatAreNotThere) {
  EXPECT_EQ(
      failure_of("E: The repository 'http://deb.debian.org/debian nosuch Release' does not have a Release file.\n")
          .what,
      "the mirror has no release 'bookworm'");
  EXPECT_THAT(failure_of("W: GPG error: http://deb.debian.org/debian bookworm InRelease: The following signatures "
                         "couldn't be verified because the public key is not available: NO_PUBKEY 6ED0E7B82643E131\n"
                         "E: The repository 'http://deb.debian.org/debian bookworm InRelease' is not signed.\n")
                  .what,
              HasSubstr("a key that this host does not know"));
  EXPECT_EQ(failure_of("W: apt-get indextargets output is empty\n"
                       "E: apt-get update did not find any indices for architecture 'amd64' in suite 'bookworm'\n")
                .what,
            "the mirror has none of the wanted components of 'bookworm'");
}

TEST(RunLog, FullDisk) {
  const Error error = failure_of("dpkg: error processing archive x.deb: failed to write (No space left on device)\n");
  EXPECT_EQ(error.code, ErrorCode::no_space);
  EXPECT_THAT(error.remedy, HasSubstr("cache prune"));
}

TEST(RunLog, FailedStepIsNamedWithItsLastLines) {
  RunLog log;
  log.line("noise of an earlier step");
  const auto begun = log.line("domsmith-agent: begin 7 9 script 'setup.sh' ([[script]] 2)");
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->text, "script 'setup.sh' ([[script]] 2)");
  log.line("installing things");
  log.line("E: it did not work");
  log.line("domsmith-agent: failed 7 exit status 3");
  const Error error = log.failure({.code = 25, .signal = 0}, "bookworm");
  EXPECT_EQ(error.what, "script 'setup.sh' ([[script]] 2) failed: exit status 3");
  EXPECT_THAT(error.causes, ElementsAre("installing things", "E: it did not work"));
}

TEST(RunLog, StepThatPackagesWereToLeaveAlone) {
  RunLog log;
  const auto warning = log.line("dpkg: warning: ignoring request to remove nano which isn't installed");
  ASSERT_TRUE(warning);
  EXPECT_EQ(warning->kind, ProgressEvent::Kind::warning);
  EXPECT_EQ(warning->text, "ignoring request to remove nano which isn't installed");
}

TEST(RunLog, PasswordsOfMirrorsAreNotRepeated) {
  const Error error = failure_of("E: Failed to fetch http://me:hunter2@mirror/debian/x.deb  401  Unauthorized\n");
  EXPECT_THAT(error.causes, ElementsAre("E: Failed to fetch http://me:***@mirror/debian/x.deb  401  Unauthorized"));
}

TEST(RunLog, UnknownFaultKeepsTheLastLines) {
  const Error error = failure_of("something odd\nanother line\n");
  EXPECT_EQ(error.what, "the installation failed: exit status 25");
  EXPECT_THAT(error.causes, ElementsAre("something odd", "another line"));
  EXPECT_THAT(failure_of("").causes, IsEmpty());
}

TEST(RunLog, WordsOfAScriptAreNoFaultOfApt) {
  EXPECT_EQ(failure_of("frobnicate was not found\nI: automatically chosen mode: unshare\n").what,
            "the installation failed: exit status 25");
  EXPECT_EQ(failure_of("E: Version '9' for 'curl' was not found\n").code, ErrorCode::not_found);
  EXPECT_EQ(failure_of("E: unshare() failed: Operation not permitted\n").code, ErrorCode::denied);
}

TEST(RunLog, LongOutputIsKeptShort) {
  RunLog log;
  for (int i = 0; i < 100000; ++i) {
    log.line("E: " + std::string(5000, 'x'));
  }
  const Error error = log.failure({.code = 1, .signal = 0}, "bookworm");
  EXPECT_LE(error.causes.size(), 12U);
  EXPECT_LE(error.causes.front().size(), 400U);
}

}  // namespace
}  // namespace domsmith::packages
