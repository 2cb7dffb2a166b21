// A recipe file -> a validated Recipe. Every error of the file comes in one run (document.h).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"
#include "imagebuild/recipe/schema.h"

namespace domsmith {

// `file` is the name that errors show; `source` keys are relative to its folder. Each source may hold 16 MiB, all of
// them together 64 MiB.
// Included recipes lie in its folder or below it; a `source` is meant from the folder of the file that says it.
struct RecipeChoices {
  std::vector<std::string> profiles;
  std::map<std::string, std::string> variables;
};
Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& file,
                            const RecipeChoices& choices = {});
Result<Recipe> load_recipe(const std::filesystem::path& path, const RecipeChoices& choices = {});

// What a recipe may say.
const Schema& recipe_schema();

// By its name: NAME.toml is one, NAME.lock.toml is the lock of one (engine/lock.h).
bool is_named_as_recipe(const std::filesystem::path& file);

}  // namespace domsmith
