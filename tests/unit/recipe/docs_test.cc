// docs/recipe.md says what the code does: its tables are the code's own, and its examples are recipes.
#include <gtest/gtest.h>

#include "base/error_text.h"
#include "base/file.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"
#include "tests/unit/golden.h"

namespace domsmith {
namespace {

const std::filesystem::path manual = DOMSMITH_SOURCE_DIR "/docs/recipe.md";

TEST(RecipeManual, HoldsTheTablesOfTheCode) { golden::expect_generated(manual, recipe_markdown()); }

TEST(RecipeManual, ItsExamplesAreRecipes) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  for (const char* name : {"files/motd", "files/packages.asc", "rootfs.tar.xz", "server.qcow2"}) {
    ASSERT_TRUE(write_file_atomic(folder->path() / name, "Welcome\n"));
  }
  ASSERT_TRUE(write_file_atomic(folder->path() / "files/ledger.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
  ASSERT_TRUE(write_file_atomic(folder->path() / "common/base.toml", "[packages]\ninstall = [\"curl\"]\n"));
  const std::vector<std::string> found = golden::examples(golden::bytes_of(manual), "toml");
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
