// The agent's work on files, below a folder of the test's own.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "imagebuild/boot/agent/accounts.h"
#include "imagebuild/boot/agent/execute.h"
#include "imagebuild/boot/agent/place.h"
#include "imagebuild/boot/agent/run_steps.h"
#include "imagebuild/boot/agent/settings.h"

namespace domsmith::agent {
namespace {

using testing::HasSubstr;

class AgentPlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    root_ = folder_->path();
    me_ = std::to_string(::getuid());
    my_group_ = std::to_string(::getgid());
    put("/etc/passwd", "root:x:0:0::/root:/bin/sh\nme:x:" + me_ + ":0::/:/bin/sh\n");
    put("/etc/group", "root:x:0:\nus:x:" + my_group_ + ":\n");
  }

  void put(const std::string& path, const std::string& bytes) { ASSERT_TRUE(write_file_atomic(root_ + path, bytes)); }
  std::string get(const std::string& path) { return read_file(root_ + path).value_or("(none)"); }
  Step file(const std::string& path, const std::string& bytes, std::uint32_t mode = 0644) {
    return {.kind = StepKind::file, .path = path, .mode = mode, .owner = "me", .group = "us", .input = bytes};
  }
  unsigned mode_of(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::lstat((root_ + path).c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
  }

  std::optional<TemporaryDirectory> folder_;
  std::string root_, me_, my_group_;
};

TEST_F(AgentPlaceTest, FileWithModeAndParents) {
  ASSERT_TRUE(place_file(root_, file("/opt/a/b/tool", "bytes", 04750)));
  EXPECT_EQ(get("/opt/a/b/tool"), "bytes");
  EXPECT_EQ(mode_of("/opt/a/b/tool"), 04750U);
  EXPECT_EQ(mode_of("/opt/a/b"), 0755U);
}

TEST_F(AgentPlaceTest, LargeListsOfStepsAreReadOthersAreLimited) {
  put("/steps", std::string(20U << 20, 'x'));
  EXPECT_EQ(read_small_file(root_ + "/steps", 64U << 20).value_or("").size(), 20U << 20);
  EXPECT_THAT(read_small_file(root_ + "/steps").error(), HasSubstr("is too large"));
}

TEST_F(AgentPlaceTest, FileReplacesALinkAndDoesNotFollowIt) {
  put("/etc/real", "untouched");
  std::filesystem::create_symlink("real", root_ + "/etc/link");
  ASSERT_TRUE(place_file(root_, file("/etc/link", "new")));
  EXPECT_EQ(get("/etc/real"), "untouched");
  EXPECT_EQ(get("/etc/link"), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(root_ + "/etc/link"));
}

TEST_F(AgentPlaceTest, FileInPlaceOfAFolderIsRefused) {
  const auto placed = place_file(root_, file("/etc", "x"));
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error(), HasSubstr("cannot replace"));
}

TEST_F(AgentPlaceTest, UnknownOwnerIsNamed) {
  Step step = file("/etc/x", "");
  step.owner = "nobody-here";
  EXPECT_EQ(place_file(root_, step).error(), "user 'nobody-here' does not exist in the image");
  step.owner = "me";
  step.group = "no-group";
  EXPECT_EQ(place_file(root_, step).error(), "group 'no-group' does not exist in the image");
}

TEST_F(AgentPlaceTest, DirectoryAndSymlink) {
  Step step = file("/srv/me/.ssh", "", 0700);
  step.kind = StepKind::directory;
  ASSERT_TRUE(place_directory(root_, step));
  ASSERT_TRUE(place_directory(root_, step)) << "a second time is fine";
  EXPECT_EQ(mode_of("/srv/me/.ssh"), 0700U);
  ASSERT_TRUE(place_symlink(root_, {.path = "/a/b", .argv = {"../target"}}));
  EXPECT_EQ(std::filesystem::read_symlink(root_ + "/a/b"), "../target");
}

TEST_F(AgentPlaceTest, RemovesPatternsFoldersAndForgivesTheAbsent) {
  put("/etc/ssh/ssh_host_rsa_key", "");
  put("/etc/ssh/ssh_host_rsa_key.pub", "");
  put("/etc/ssh/sshd_config", "");
  put("/var/log/journal/0123/system.journal", "");
  ASSERT_TRUE(remove_paths(root_, {"/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/var/log/journal/*",
                                   "/no/such/folder/*", "/etc/absent"}));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/etc/ssh/ssh_host_rsa_key"));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/var/log/journal/0123"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/etc/ssh/sshd_config"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/var/log/journal"));
}

TEST_F(AgentPlaceTest, RemovingALinkLeavesItsTarget) {
  put("/keep/file", "x");
  std::filesystem::create_directory(root_ + "/tmp");
  std::filesystem::create_symlink("../keep", root_ + "/tmp/link");
  ASSERT_TRUE(remove_paths(root_, {"/tmp/*"}));
  EXPECT_EQ(get("/keep/file"), "x");
}

TEST_F(AgentPlaceTest, TimezoneIsALinkAndATextWhereTheImageHasOne) {
  put("/usr/share/zoneinfo/Europe/Berlin", "TZif");
  ASSERT_TRUE(set_timezone(root_, "Europe/Berlin"));
  EXPECT_EQ(std::filesystem::read_symlink(root_ + "/etc/localtime"), "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(get("/etc/timezone"), "(none)");
  put("/etc/timezone", "Etc/UTC\n");
  ASSERT_TRUE(set_timezone(root_, "Europe/Berlin"));
  EXPECT_EQ(get("/etc/timezone"), "Europe/Berlin\n");
  EXPECT_EQ(set_timezone(root_, "Europe/Atlantis").error(),
            "the image has no /usr/share/zoneinfo/Europe/Atlantis (package tzdata)");
}

TEST_F(AgentPlaceTest, LocaleIsEnabledOnceAsTheImageSpellsIt) {
  put("/usr/share/i18n/SUPPORTED", "de_DE.UTF-8 UTF-8\nde_DE ISO-8859-1\n");
  put("/etc/locale.gen", "# de_DE.UTF-8 UTF-8\n");
  ASSERT_TRUE(enable_locale(root_, "de_DE"));
  ASSERT_TRUE(enable_locale(root_, "de_DE.UTF-8"));
  ASSERT_TRUE(enable_locale(root_, "de_DE.UTF-8"));
  EXPECT_EQ(get("/etc/locale.gen"), "# de_DE.UTF-8 UTF-8\nde_DE ISO-8859-1\nde_DE.UTF-8 UTF-8\n");
  EXPECT_THAT(enable_locale(root_, "xx_YY").error(), HasSubstr("has no locale 'xx_YY'"));
}

TEST_F(AgentPlaceTest, HostsResolverGoesTheImagesLinkStays) {
  put("/etc/resolv.conf", "nameserver 192.0.2.7\n");
  ASSERT_TRUE(put_away_host_files(root_));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/etc/resolv.conf"));
  std::filesystem::create_symlink("../run/stub", root_ + "/etc/resolv.conf");
  ASSERT_TRUE(put_away_host_files(root_));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/etc/resolv.conf"));
}

TEST(Accounts, FindIds) {
  constexpr const char* table = "root:x:0:\nadm:x:4:bob\nadmin:x:1000:\nbroken\n";
  EXPECT_EQ(find_id(table, "adm"), 4U);
  EXPECT_EQ(find_id(table, "admin"), 1000U);
  EXPECT_EQ(find_id(table, "123"), 123U);
  EXPECT_FALSE(find_id(table, "ad"));
  EXPECT_FALSE(find_id(table, "broken"));
  EXPECT_FALSE(find_id("", ""));
}

TEST(Execute, RunsWithAClearedEnvironmentAndInput) {
  ::setenv("SECRET_OF_THE_HOST", "x", 1);
  EXPECT_TRUE(execute(
      {"/bin/sh", "-c", "test -z \"$SECRET_OF_THE_HOST\" && test \"$INITRD\" = No && read x && test $x = hi"}, "hi\n"));
  EXPECT_EQ(execute({"/bin/sh", "-c", "exit 3"}, "").error(), "exit status 3");
  EXPECT_EQ(execute({"/bin/sh", "-c", "kill -9 $$"}, "").error(), "killed by signal 9");
  EXPECT_EQ(execute({"/nonexistent"}, "").error(), "exit status 127");
  EXPECT_FALSE(execute({"sh"}, ""));
  EXPECT_FALSE(execute({}, ""));
}

TEST(Execute, ScriptsNeedAnInterpreterThatIsThere) {
  EXPECT_EQ(execute_script("echo").error(), "a script starts with #!");
  EXPECT_EQ(execute_script("#! /no/such -e\n").error(), "its interpreter '/no/such' is not in the image at this phase");
  EXPECT_THAT(execute_script("#!/bin/sh\r\nexit 0\r\n").error(), HasSubstr("CR LF"));
  EXPECT_FALSE(execute_script("#!"));
}

TEST(RunSteps, StopsAtTheFirstFailureAndSaysSo) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(run_steps("", {{.title = "good", .argv = {"/bin/true"}},
                              {.title = "bad one", .argv = {"/bin/false"}},
                              {.title = "never", .argv = {"/bin/true"}}}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "domsmith-agent: begin 1 3 good\ndomsmith-agent: begin 2 3 bad one\n"
            "domsmith-agent: failed 2 exit status 1\n");
}

}  // namespace
}  // namespace domsmith::agent
