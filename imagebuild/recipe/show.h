// A Recipe for people and programs, its defaults filled in.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imagebuild/recipe/recipe.h"

namespace domsmith {

// TOML; parse_recipe() of it in the same folder gives the same Recipe.
std::string recipe_text(const Recipe& recipe);
nlohmann::json recipe_json(const Recipe& recipe);
// Of all that a recipe says, the bytes of the files that it names included.
std::string recipe_sha256(const Recipe& recipe);

// The JSON Schema of recipes, and the reference tables of docs/recipe.md.
nlohmann::json recipe_json_schema();
std::string recipe_markdown();

}  // namespace domsmith
