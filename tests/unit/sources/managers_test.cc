#include "imagebuild/sources/managers.h"

#include "tests/unit/sources/support.h"

namespace domsmith::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RecipeSource signed_source(RecipeSource::Kind kind, std::vector<std::string> repositories) {
  RecipeSource source;
  source.kind = kind;
  source.repositories = std::move(repositories);
  source.keys = {"a.asc"};
  source.key_bytes = {"KEY"};
  return source;
}

TEST(Managers, DnfReadsNothingOfTheHosts) {
  RecipeSource source = signed_source(RecipeSource::Kind::rpm, {"https://one", "https://two"});
  source.release = "40";
  const ManagerRun run = plan_manager(source, {"bash", "systemd"}, "amd64");
  ASSERT_EQ(run.commands.size(), 1U);
  EXPECT_THAT(run.commands[0].argv, ElementsAre("/usr/bin/dnf", "--config=/tmp/scratch/dnf.conf",
                                                "--installroot=/tmp/tree", "--forcearch=x86_64", "--releasever=40",
                                                "--noplugins", "--assumeyes", "install", "bash", "systemd"));
  ASSERT_EQ(run.files.size(), 3U);
  EXPECT_EQ(run.files[0].bytes, "KEY");
  EXPECT_THAT(run.files[1].bytes, HasSubstr("gpgcheck=1\n"));
  EXPECT_THAT(run.files[1].bytes, HasSubstr("reposdir=/tmp/scratch/repos\n"));
  EXPECT_THAT(run.files[1].bytes, HasSubstr("baseurl=https://two\nenabled=1\ngpgkey=file:///tmp/scratch/key-1.asc\n"));
}

TEST(Managers, PacmanGetsTheKeysFirst) {
  const ManagerRun run =
      plan_manager(signed_source(RecipeSource::Kind::pacman, {"core=https://m/core"}), {"base"}, "amd64");
  ASSERT_EQ(run.commands.size(), 2U);
  EXPECT_EQ(run.commands[0].argv[0], "/usr/bin/gpg");
  EXPECT_EQ(run.commands[0].argv.back(), "/tmp/scratch/key-1.asc");
  EXPECT_EQ(run.commands[1].argv.back(), "base");
  EXPECT_THAT(run.files[0].bytes, HasSubstr("SigLevel=Required DatabaseOptional TrustAll\n"));
  EXPECT_THAT(run.files[0].bytes, HasSubstr("\n[core]\nServer=https://m/core\n"));
}

TEST(Managers, UnsignedIsWhatTheRecipeSays) {
  RecipeSource source = signed_source(RecipeSource::Kind::rpm, {"https://one"});
  source.keys.clear();
  source.key_bytes.clear();
  source.is_unsigned = true;
  EXPECT_THAT(plan_manager(source, {}, "amd64").files.at(0).bytes, HasSubstr("gpgcheck=0\n"));
  source.kind = RecipeSource::Kind::pacman;
  source.repositories = {"core=https://m"};
  EXPECT_THAT(plan_manager(source, {}, "amd64").files[0].bytes, HasSubstr("SigLevel=Never\n"));
}

}  // namespace
}  // namespace domsmith::sources
