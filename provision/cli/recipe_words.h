// --profile and --set, of the verbs that read recipes.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/parse.h"
#include "provision/cli/verb.h"

namespace domsmith {

struct RecipeWords {
  std::vector<std::string> profiles;
  std::vector<std::string> set;  // "NAME=VALUE"
};

void add_recipe_words(Verb verb, RecipeWords& words);
Result<RecipeChoices> recipe_choices(const RecipeWords& words);

}  // namespace domsmith
