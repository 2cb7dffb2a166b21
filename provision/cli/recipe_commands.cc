// domsmith recipe check|show|schema
#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"
#include "provision/cli/command.h"
#include "provision/cli/recipe_words.h"

namespace domsmith {
namespace {

struct CheckOptions {
  std::vector<std::string> recipes;
  RecipeWords words;
};

struct ShowOptions {
  std::string recipe;
  RecipeWords words;
};

// All errors of all files in one Error, as those of one file are.
void gather(std::optional<Error>& all, Error error) {
  if (!all) {
    all = std::move(error);
    return;
  }
  std::vector<Error> more = std::move(error.others);
  error.others.clear();
  all->others.push_back(std::move(error));
  std::ranges::move(more, std::back_inserter(all->others));
}

Result<void> check(CliContext& cli, const CheckOptions& options) {
  const Settings settings = TRY(cli.settings());
  const RecipeChoices choices = TRY(recipe_choices(options.words));
  std::optional<Error> errors;
  nlohmann::json document{{"recipes", nlohmann::json::array()}};
  std::string text;
  for (const std::string& word : options.recipes) {
    const std::filesystem::path path = TRY(recipe_path(settings, word));
    const Result<Recipe> recipe = load_recipe(path, choices);
    if (!recipe) {
      gather(errors, recipe.error());
      continue;
    }
    document["recipes"].push_back(
        {{"file", path.string()}, {"name", recipe->image.name}, {"version", recipe->image.version}});
    text +=
        fmt::format("{}: fine (image '{}', version {})\n", path.string(), recipe->image.name, recipe->image.version);
  }
  if (errors) {
    if (!cli.output().json()) {
      TRY(cli.output().show(text));
    }
    return std::unexpected(*std::move(errors));
  }
  return cli.output().answer(document, text);
}

Result<void> show(CliContext& cli, const ShowOptions& options) {
  const std::filesystem::path path = TRY(recipe_path(TRY(cli.settings()), options.recipe));
  const Recipe recipe = TRY(load_recipe(path, TRY(recipe_choices(options.words))));
  return cli.output().answer(recipe_json(recipe), recipe_text(recipe));
}

Result<void> schema(CliContext& cli, bool markdown) {
  if (markdown) {
    return cli.output().answer({{"markdown", recipe_markdown()}}, recipe_markdown());
  }
  const nlohmann::json document = recipe_json_schema();
  return cli.output().answer(document, json_text(document));
}

}  // namespace

void add_recipe_commands(CliContext& cli) {
  Verb recipe = cli.noun("recipe", "what a golden image is made from: check, show, schema");
  auto files = std::make_shared<CheckOptions>();
  Verb check_verb =
      cli.verb(recipe, "check", "tell every error of recipes", [&cli, files] { return check(cli, *files); });
  check_verb.add_option("RECIPE", files->recipes, "files, or names in the recipes' folder").required();
  add_recipe_words(check_verb, files->words);
  auto shown = std::make_shared<ShowOptions>();
  Verb show_verb = cli.verb(recipe, "show", "print a recipe with its defaults filled in",
                            [&cli, shown] { return show(cli, *shown); });
  show_verb.add_option("RECIPE", shown->recipe, "a file, or a name in the recipes' folder").required();
  add_recipe_words(show_verb, shown->words);
  auto markdown = std::make_shared<bool>(false);
  cli.verb(recipe, "schema", "print the JSON Schema of recipes, for editors",
           [&cli, markdown] { return schema(cli, *markdown); })
      .add_flag("--markdown", *markdown, "the tables of all keys instead, as docs/recipe.md has them");
}

}  // namespace domsmith
