// docs/recipe.md says what the code does: its tables are the code's own, and its examples are recipes.
#include <gtest/gtest.h>

#include "base/error_text.h"
#include "base/file.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"

namespace domsmith {
namespace {

const std::filesystem::path source_folder = DOMSMITH_SOURCE_DIR;

std::string manual() {
  const auto text = read_file(source_folder / "docs/recipe.md");
  EXPECT_TRUE(text) << error_text(text.error());
  return text.value_or("");
}

// What stands between ```toml and ```.
std::vector<std::string> examples(const std::string& text) {
  static constexpr std::string_view open = "```toml\n";
  std::vector<std::string> found;
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

TEST(RecipeManual, HoldsTheTablesOfTheCode) {
  static constexpr std::string_view begin =
      "<!-- generated: a test compares it with the code; DOMSMITH_UPDATE_GOLDEN=1 makes that test write it anew -->\n";
  static constexpr std::string_view end = "<!-- end of the generated part -->";
  std::string text = manual();
  const auto from = text.find(begin);
  const auto to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string tables = text.substr(from + begin.size(), to - from - begin.size());
  if (std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr) {
    text.replace(from + begin.size(), tables.size(), "\n" + recipe_markdown());
    ASSERT_TRUE(write_file_atomic(source_folder / "docs/recipe.md", text));
  }
  EXPECT_EQ(tables, "\n" + recipe_markdown()) << "DOMSMITH_UPDATE_GOLDEN=1 writes the tables anew";
}

TEST(RecipeManual, ItsExamplesAreRecipes) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  for (const char* name : {"files/motd", "files/packages.asc", "rootfs.tar.xz", "server.qcow2"}) {
    ASSERT_TRUE(write_file_atomic(folder->path() / name, "Welcome\n"));
  }
  ASSERT_TRUE(write_file_atomic(folder->path() / "common/base.toml", "[packages]\ninstall = [\"curl\"]\n"));
  const std::vector<std::string> found = examples(manual());
  EXPECT_GE(found.size(), 12U);
  for (std::string example : found) {
    if (example.find("[distribution]") == std::string::npos && example.find("[source]") == std::string::npos) {
      example += "\n[distribution]\nrelease = \"bookworm\"\n";
    }
    if (example.find("[image]") == std::string::npos) {
      example += "\n[image]\nname = \"example\"\n";
    }
    const auto recipe = parse_recipe(example, folder->path() / "example.toml");
    EXPECT_TRUE(recipe) << example << error_text(recipe.error());
  }
}

}  // namespace
}  // namespace domsmith
