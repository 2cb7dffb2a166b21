#include "provision/cli/settings.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  Result<Settings> read(std::string_view text, bool required = false) {
    EXPECT_TRUE(write_file_atomic(file_, text));
    return read_settings(file_, required, paths_, "/usr/share/domsmith");
  }
  TemporaryDirectory folder_ = *TemporaryDirectory::make();
  std::filesystem::path file_ = folder_.path() / "domsmith.toml";
  Paths paths_{.root = folder_.path()};
};

TEST_F(SettingsTest, HasDefaultsWhereThereIsNoFile) {
  const auto settings = read_settings(file_, false, paths_, "/usr/share/domsmith");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->store, "");
  EXPECT_EQ(settings->bridge, "xenbr0");
  EXPECT_EQ(settings->mac_prefix, "00:16:3e");
  EXPECT_EQ(settings->templates, "/usr/share/domsmith/templates");
  EXPECT_EQ(settings->boot, folder_.path() / "var/lib/domsmith/boot");
}

TEST_F(SettingsTest, FailsWhereANamedFileIsAbsent) { EXPECT_FALSE(read_settings(file_, true, paths_, "/x")); }

TEST_F(SettingsTest, TakesWhatTheFileSays) {
  const auto settings =
      read("store = \"lvm:vg0/pool\"\nbridge = \"br1\"\nmac_prefix = \"02:d0:5e\"\ntemplates = \"mine\"\n");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->store, "lvm:vg0/pool");
  EXPECT_EQ(settings->bridge, "br1");
  EXPECT_EQ(settings->mac_prefix, "02:d0:5e");
  EXPECT_EQ(settings->templates, folder_.path() / "mine");
}

TEST_F(SettingsTest, TellsAllErrorsOfTheFile) {
  const auto settings = read("brigde = \"x\"\nmac_prefix = \"01:00:5e\"\nstore = \"tape:0\"\nbridge = \"a/b\"\n");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::bad_input);
  EXPECT_EQ(settings.error().others.size(), 3U);
  ASSERT_TRUE(settings.error().where);
  EXPECT_EQ(settings.error().where->line, 1U);
  EXPECT_THAT(settings.error().where->hint, HasSubstr("bridge"));
}

TEST_F(SettingsTest, FindsRecipesByName) {
  Settings settings;
  settings.recipes = folder_.path();
  ASSERT_TRUE(write_file_atomic(folder_.path() / "debian-web.toml", ""));
  EXPECT_EQ(recipe_path(settings, "debian-web"), folder_.path() / "debian-web.toml");
  EXPECT_EQ(recipe_path(settings, "./other"), "./other");
  const auto unknown = recipe_path(settings, "debian-wep");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().remedy, "did you mean 'debian-web'?");
}

TEST_F(SettingsTest, AProgramThatWasCopiedSaysWhereItLookedForRecipes) {
  Settings settings;
  settings.recipes = data_folder("/nowhere/bin/domsmith") / "no-recipes";
  const auto unknown = recipe_path(settings, "debian-web");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().remedy, HasSubstr("/usr/share/domsmith/no-recipes holds none"));
  EXPECT_THAT(unknown.error().remedy, HasSubstr("--config"));
}

TEST_F(SettingsTest, FindsItsDataBesideTheSourcesOfABuildTree) {
  ASSERT_TRUE(write_file_atomic(folder_.path() / "CMakeCache.txt",
                                "# a cache\nCMAKE_HOME_DIRECTORY:INTERNAL=/src/domsmith\nX:Y=Z\n"));
  EXPECT_EQ(data_folder(folder_.path() / "bin/domsmith"), "/src/domsmith");
}

TEST_F(SettingsTest, FindsItsDataWhereItIsInstalled) {
  ASSERT_TRUE(make_directories(folder_.path() / "share/domsmith"));
  EXPECT_EQ(data_folder(folder_.path() / "bin/domsmith"), folder_.path() / "share/domsmith");
  EXPECT_EQ(data_folder("/nowhere/bin/domsmith"), "/usr/share/domsmith");
}

}  // namespace
}  // namespace domsmith
