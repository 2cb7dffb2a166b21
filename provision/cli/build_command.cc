// domsmith build RECIPE
#include <fmt/format.h>

#include "base/text.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/recipe/parse.h"
#include "provision/cli/site.h"
#include "provision/images/build_image.h"

namespace domsmith {

namespace {

struct BuildOptions {
  std::string recipe;
};

Result<void> build_verb(CliContext& cli, const BuildOptions& options) {
  const Settings settings = TRY(cli.settings());
  const Recipe recipe = TRY(load_recipe(TRY(recipe_path(settings, options.recipe))));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const packages::HostFacts host = TRY(packages::host_facts());
  const ImageBuildPlan plan = TRY(plan_image_build(recipe, host, *store));
  if (cli.plan_only()) {
    return cli.output().answer(plan_json(plan), plan_text(plan));
  }
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(build_image(site.place(), *store, plan, cli.progress()));
  return cli.output().answer(
      record_json(image),
      fmt::format("golden image {} {} is in {}: {} packages, {} of {} used, kernel {}\n"
                  "next: domsmith clone {} --name NAME --count N\n",
                  image.name, image.version, image.store, image.packages, size_text(image.used), size_text(image.size),
                  image.kernel_version.empty() ? "none" : image.kernel_version, image.name));
}

}  // namespace

void add_build_command(CliContext& cli) {
  auto options = std::make_shared<BuildOptions>();
  Verb verb = cli.verb(
      cli.top(), "build", "make a golden image from a recipe", [&cli, options] { return build_verb(cli, *options); },
      VerbKind::changes);
  verb.add_option("RECIPE", options->recipe, "a recipe file, or the name of one in the recipes' folder").required();
}

}  // namespace domsmith
