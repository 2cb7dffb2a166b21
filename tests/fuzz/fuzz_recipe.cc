// A recipe of any bytes: it is one, or it has errors, each with a place that the file has.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error_text.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace domsmith;  // NOLINT(google-build-using-namespace): a main of ten lines
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto recipe = parse_recipe(text, "/nonexistent/fuzz.toml", {.profiles = {"debug"}, .variables = {}});
  if (!recipe) {
    if (recipe.error().code != ErrorCode::bad_input || error_text(recipe.error()).empty()) {
      std::abort();
    }
    return 0;
  }
  // What is shown of a recipe is that recipe.
  const auto again = parse_recipe(recipe_text(*recipe), recipe->file);
  if (!again || !(*again == *recipe)) {
    std::abort();
  }
  return 0;
}
