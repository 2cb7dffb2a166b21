// Error texts byte for byte: tests/golden/recipe/NAME.toml must give NAME.txt. DOMSMITH_UPDATE_GOLDEN=1 writes them
// anew.
#include "tests/unit/golden.h"

#include <gtest/gtest.h>

#include "base/error_text.h"
#include "imagebuild/recipe/parse.h"

namespace domsmith {
namespace {

const std::filesystem::path folder = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/recipe";

class RecipeError : public testing::TestWithParam<std::string> {};

TEST_P(RecipeError, IsTheGoldenText) {
  std::filesystem::current_path(folder);  // so that the text names no folder
  const auto recipe = load_recipe(GetParam() + ".toml");
  ASSERT_FALSE(recipe) << "a recipe of this folder must be wrong";
  EXPECT_EQ(exit_status(recipe.error()), 2);
  golden::expect_text(folder / (GetParam() + ".txt"), error_text(recipe.error()));
}

INSTANTIATE_TEST_SUITE_P(Golden, RecipeError, testing::ValuesIn(golden::toml_names(folder)), golden::test_name);

}  // namespace
}  // namespace domsmith
