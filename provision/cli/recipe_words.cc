#include "provision/cli/recipe_words.h"

#include <fmt/format.h>

namespace domsmith {

void add_recipe_words(Verb verb, RecipeWords& words) {
  verb.add_option("--profile", words.profiles,
                  "with this profile of the recipe, [profile.NAME]; may stand several times")
      .one_each();
  verb.add_option("--set", words.set, "NAME=VALUE: another value for a variable of the recipe; may stand several times")
      .one_each();
}

Result<RecipeChoices> recipe_choices(const RecipeWords& words) {
  RecipeChoices choices{.profiles = words.profiles, .variables = {}};
  for (const std::string& word : words.set) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::bad_input, fmt::format("bad variable '{}'", word), "write --set NAME=VALUE");
    }
    choices.variables[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return choices;
}

}  // namespace domsmith
