// Error texts byte for byte: tests/golden/recipe/NAME.toml must give NAME.txt. DOMSMITH_UPDATE_GOLDEN=1 writes them
// anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error_text.h"
#include "imagebuild/recipe/parse.h"

namespace domsmith {
namespace {

const std::filesystem::path folder = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/recipe";

std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") {
      found.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(found);
  return found;
}

class RecipeError : public testing::TestWithParam<std::string> {};

TEST_P(RecipeError, IsTheGoldenText) {
  std::filesystem::current_path(folder);  // so that the text names no folder
  const auto recipe = load_recipe(GetParam() + ".toml");
  ASSERT_FALSE(recipe) << "a recipe of this folder must be wrong";
  EXPECT_EQ(exit_status(recipe.error()), 2);
  const std::string text = error_text(recipe.error());
  const std::filesystem::path golden = folder / (GetParam() + ".txt");
  if (std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden, std::ios::binary) << text;
  }
  EXPECT_EQ(text, bytes_of(golden));
}

INSTANTIATE_TEST_SUITE_P(Golden, RecipeError, testing::ValuesIn(names()), [](const auto& chosen) {
  std::string name = chosen.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace domsmith
