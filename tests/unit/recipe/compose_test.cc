// Recipes of several parts: included files, profiles, variables.
#include <gmock/gmock.h>

#include "base/error_text.h"
#include "base/file.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Composed : public testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryDirectory::make();
    ASSERT_TRUE(made);
    folder_.emplace(std::move(*made));
  }
  void put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomic(folder_->path() / name, text));
  }
  Result<Recipe> load(const std::string& text, const RecipeChoices& choices = {}) {
    return parse_recipe("[image]\nname = \"web\"\n" + text, folder_->path() / "web.toml", choices);
  }
  std::string errors(const std::string& text, const RecipeChoices& choices = {}) {
    const auto recipe = load(text, choices);
    return recipe ? "no error" : error_text(recipe.error());
  }
  std::optional<TemporaryDirectory> folder_;
};

constexpr const char* base =
    "[distribution]\nrelease = \"bookworm\"\n[packages]\ninstall = [\"curl\", \"nano\"]\n[system]\ntimezone = "
    "\"Europe/Berlin\"\n[[user]]\nname = \"deploy\"\nuid = 1500\n[[file]]\npath = \"/etc/motd\"\nsource = \"motd\"\n";

TEST_F(Composed, AnIncludedRecipeComesFirstAndIsLaidOver) {
  put("common/base.toml", base);
  put("common/motd", "hello\n");
  const auto good = parse_recipe(
      "include = \"common/base.toml\"\n[image]\nname = \"web\"\n[packages]\ninstall = [\"curl\", \"nginx\"]\n[system]\n"
      "timezone = \"Etc/UTC\"\n[[user]]\nname = \"deploy\"\nuid = 1600\n[[user]]\nname = \"other\"\n",
      folder_->path() / "web.toml");
  ASSERT_TRUE(good) << error_text(good.error());
  EXPECT_THAT(good->packages.install, ElementsAre("curl", "nano", "nginx"));
  EXPECT_EQ(good->system.timezone, "Etc/UTC");
  EXPECT_EQ(good->distribution.release, "bookworm");
  ASSERT_EQ(good->users.size(), 2U);
  EXPECT_EQ(good->users[0].uid, 1600U);
  ASSERT_EQ(good->files.size(), 1U);
  EXPECT_EQ(good->files[0].bytes, "hello\n");
  EXPECT_EQ(good->files[0].source, "common/motd");
  // What is shown is one recipe, and says the same.
  const auto again = parse_recipe(recipe_text(*good), folder_->path() / "web.toml");
  ASSERT_TRUE(again) << error_text(again.error());
  EXPECT_EQ(*again, *good);
}

TEST_F(Composed, ACircleOfIncludesEnds) {
  put("a.toml", "include = [\"b.toml\"]\n[packages]\ninstall = [\"aa\"]\n");
  put("b.toml", "include = [\"a.toml\"]\n[packages]\ninstall = [\"bb\"]\n");
  const auto recipe = parse_recipe("include = [\"a.toml\"]\n[image]\nname = \"web\"\n[distribution]\nrelease = \"x\"\n",
                                   folder_->path() / "web.toml");
  ASSERT_TRUE(recipe) << error_text(recipe.error());
  EXPECT_THAT(recipe->packages.install, ElementsAre("bb", "aa"));
}

TEST_F(Composed, AProfileCountsWhereItIsAskedFor) {
  const std::string text =
      "[distribution]\nrelease = \"x\"\n[packages]\ninstall = [\"nginx\"]\n[profile.debug.packages]\ninstall = "
      "[\"gdb\"]\n"
      "[profile.debug.filesystem]\nsize = \"4GiB\"\n[[profile.debug.file]]\npath = \"/etc/debug\"\ncontent = \"\"\n";
  const auto plain = load(text);
  ASSERT_TRUE(plain) << error_text(plain.error());
  EXPECT_THAT(plain->packages.install, ElementsAre("nginx"));
  const auto debug = load(text, {.profiles = {"debug"}, .variables = {}});
  ASSERT_TRUE(debug) << error_text(debug.error());
  EXPECT_THAT(debug->packages.install, ElementsAre("nginx", "gdb"));
  EXPECT_EQ(debug->filesystem.size, 4ULL << 30);
  EXPECT_EQ(debug->files.size(), 1U);
  EXPECT_THAT(errors(text, {.profiles = {"debgu"}, .variables = {}}), HasSubstr("did you mean 'debug'?"));
}

TEST_F(Composed, FaultsOfAProfileThatNobodyAskedForAreKnown) {
  EXPECT_THAT(errors("[distribution]\nrelease = \"x\"\n[profile.debug.packages]\ninstal = [\"gdb\"]\n"),
              HasSubstr("web.toml:6:1: error: unknown key 'instal' in [profile.debug.packages]"));
}

TEST_F(Composed, VariablesStandForTheirValues) {
  const std::string text =
      "[variables]\nport = \"80\"\nsuite = \"bookworm\"\n[distribution]\nrelease = \"{{suite}}\"\n[[file]]\npath = "
      "\"/etc/port\"\ncontent = \"{{port}} {{ .Other }} {{\"\n[packages]\ninstall = [\"pkg{{port}}\"]\n";
  const auto recipe = load(text, {.profiles = {}, .variables = {{"port", "8080"}}});
  ASSERT_TRUE(recipe) << error_text(recipe.error());
  EXPECT_EQ(recipe->distribution.release, "bookworm");
  EXPECT_EQ(recipe->files[0].bytes, "8080 {{ .Other }} {{");
  EXPECT_THAT(recipe->packages.install, ElementsAre("pkg8080"));
  EXPECT_THAT(errors(text, {.profiles = {}, .variables = {{"prot", "1"}}}), HasSubstr("did you mean 'port'?"));
  // What a variable brings is checked as if it stood there.
  EXPECT_THAT(errors(text, {.profiles = {}, .variables = {{"suite", "../x"}}}), HasSubstr("bad release '../x'"));
}

TEST_F(Composed, WithoutVariablesBracesMeanNothing) {
  const auto recipe = load("[distribution]\nrelease = \"x\"\n[[file]]\npath = \"/a\"\ncontent = \"{{port}}\"\n");
  ASSERT_TRUE(recipe) << error_text(recipe.error());
  EXPECT_EQ(recipe->files[0].bytes, "{{port}}");
}

TEST_F(Composed, AnIncludeMayNotLeaveTheFolder) {
  std::filesystem::create_symlink("/etc/passwd", folder_->path() / "link.toml");
  const auto out = parse_recipe("include = [\"link.toml\"]\n[image]\nname = \"a\"\n", folder_->path() / "web.toml");
  ASSERT_FALSE(out);
  EXPECT_THAT(error_text(out.error()), HasSubstr("leads out of the recipe's folder"));
}

TEST_F(Composed, ATreeBringsFoldersFilesAndLinks) {
  put("files/www/index.html", "<p>\n");
  put("files/bin/tool", "#!/bin/sh\n");
  std::filesystem::permissions(folder_->path() / "files/bin/tool", std::filesystem::perms(0711));
  std::filesystem::create_symlink("/etc/shadow", folder_->path() / "files/link");
  const auto recipe = load(
      "[distribution]\nrelease = \"x\"\n[[tree]]\npath = \"/srv/site\"\nsource = \"files\"\nowner = \"www-data\"\n");
  ASSERT_TRUE(recipe) << error_text(recipe.error());
  ASSERT_EQ(recipe->trees.size(), 1U);
  std::vector<std::string> seen;
  for (const RecipeTree::Node& node : recipe->trees[0].nodes) {
    seen.push_back(node.path + " " + std::to_string(node.mode) + " " + std::to_string(static_cast<int>(node.kind)) +
                   " " + node.bytes);
  }
  EXPECT_THAT(seen, ElementsAre("/srv/site 493 1 ", "/srv/site/bin 493 1 ", "/srv/site/bin/tool 493 0 #!/bin/sh\n",
                                "/srv/site/link 511 2 /etc/shadow", "/srv/site/www 493 1 ",
                                "/srv/site/www/index.html 420 0 <p>\n"));
}

}  // namespace
}  // namespace domsmith
