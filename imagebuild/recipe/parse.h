// A recipe file -> a validated Recipe. Every error of the file comes in one run (document.h).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"
#include "imagebuild/recipe/schema.h"

namespace domsmith {

// `file` is the name that errors show; `source` keys are relative to its folder. Each source may hold 16 MiB, all of
// them together 64 MiB.
Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& file);
Result<Recipe> load_recipe(const std::filesystem::path& path);

// What a recipe may say.
const Schema& recipe_schema();

}  // namespace domsmith
