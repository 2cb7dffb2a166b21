// domsmith build RECIPE
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/recipe/parse.h"
#include "provision/cli/recipe_words.h"
#include "provision/cli/site.h"
#include "provision/images/build_image.h"

namespace domsmith {

namespace {

struct BuildVerbOptions {
  std::string recipe;
  std::string lock;     // --lock
  bool locked = false;  // --locked
  bool no_cache = false;
  bool refresh = false;
  RecipeWords words;
};

std::filesystem::path lock_path(const BuildVerbOptions& options, const Recipe& recipe) {
  return options.lock.empty() ? engine::lock_beside(recipe.file, recipe.image.name)
                              : std::filesystem::path(options.lock);
}

Result<ImageBuildOptions> build_options(const BuildVerbOptions& options, const Recipe& recipe) {
  ImageBuildOptions out;
  out.layers = !options.no_cache;
  out.lists_age = options.refresh ? std::chrono::seconds(0) : out.lists_age;
  if (options.locked) {
    out.lock = TRY(engine::load_lock(lock_path(options, recipe)));
  }
  return out;
}

Result<void> show_plan(CliContext& cli, const ImageBuildPlan& plan, const ImageBuildOptions& options) {
  nlohmann::json document = plan_json(plan);
  std::string text = plan_text(plan);
  if (plan.build.source) {
    return cli.output().answer(document, text);
  }
  Site site = TRY(Site::look(cli));
  const auto set = preview_packages(site.place(), plan, options, cli.progress());
  if (!set) {
    document["chosen"] = nullptr;
    return cli.output().answer(document, fmt::format("{}packages: not known now ({})\n", text, set.error().what));
  }
  document["chosen"] = nlohmann::json::array();
  std::uint64_t bytes = 0;
  std::string lines;
  for (const engine::Package& package : set->packages) {
    document["chosen"].push_back({{"name", package.name},
                                  {"version", package.version},
                                  {"architecture", package.architecture},
                                  {"sha256", package.sha256},
                                  {"size", package.size},
                                  {"uri", package.uri}});
    bytes += package.size;
    lines += fmt::format("  {} {} {}\n", package.name, package.version, package.architecture);
  }
  return cli.output().answer(
      document, fmt::format("{}{} packages, {}:\n{}", text, set->packages.size(), size_text(bytes), lines));
}

// Beside the recipe; a folder that cannot be written to (the shipped recipes') is no failure of the build.
Result<std::string> write_lock(CliContext& cli, const std::filesystem::path& path, const engine::Lock& lock,
                               bool asked) {
  const std::string text = engine::lock_text(lock);
  if (const auto there = read_file(path, 1U << 20); there && *there == text) {
    return path.string();
  }
  const auto written = write_file_atomic(path, text);
  if (!written && (asked || written.error().code != ErrorCode::denied)) {
    return std::unexpected(written.error());
  }
  if (!written) {
    cli.progress().note(fmt::format("no lock is written: {} cannot be written to", path.parent_path().string()));
    return std::string();
  }
  return path.string();
}

Result<void> build_verb(CliContext& cli, const BuildVerbOptions& options) {
  const Settings settings = TRY(cli.settings());
  const Recipe recipe =
      TRY(load_recipe(TRY(recipe_path(settings, options.recipe)), TRY(recipe_choices(options.words))));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const packages::HostFacts host = TRY(packages::host_facts());
  const ImageBuildPlan plan = TRY(plan_image_build(recipe, host, *store));
  const ImageBuildOptions how = TRY(build_options(options, recipe));
  if (cli.plan_only()) {
    return show_plan(cli, plan, how);
  }
  Site site = TRY(Site::open(cli));
  const BuiltImage built = TRY(build_image(site.place(), *store, plan, how, cli.progress()));
  const ImageRecord& image = built.record;
  nlohmann::json document = record_json(image);
  document["made"] = built.made;
  if (!options.locked && !plan.build.source) {
    document["lock"] = TRY(write_lock(cli, lock_path(options, recipe), built.lock, !options.lock.empty()));
  }
  return cli.output().answer(
      document, fmt::format("golden image {} {} {} {}: {} packages, {} of {} used, kernel {}\n"
                            "next: domsmith clone {} --name NAME --count N\n",
                            image.name, image.version, built.made ? "is in" : "is up to date in", image.store,
                            image.packages, size_text(image.used), size_text(image.size),
                            image.kernel_version.empty() ? "none" : image.kernel_version, image.name));
}

}  // namespace

void add_build_command(CliContext& cli) {
  auto options = std::make_shared<BuildVerbOptions>();
  Verb verb = cli.verb(
      cli.top(), "build", "make a golden image from a recipe", [&cli, options] { return build_verb(cli, *options); },
      VerbKind::changes);
  verb.add_option("RECIPE", options->recipe, "a recipe file, or the name of one in the recipes' folder").required();
  verb.add_flag("--locked", options->locked, "exactly the packages of the lock, or fail");
  verb.add_option("--lock", options->lock, "the lock file; default: NAME.lock.toml beside the recipe");
  verb.add_flag("--no-cache", options->no_cache, "use no layer of earlier builds, and keep none");
  verb.add_flag("--refresh", options->refresh, "ask the mirrors even if they were asked within the last hour");
  add_recipe_words(verb, options->words);
}

}  // namespace domsmith
