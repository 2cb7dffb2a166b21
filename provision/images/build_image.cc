#include "provision/images/build_image.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_text.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/recipe/show.h"
#include "provision/images/description.h"

namespace domsmith {

Result<ImageBuildPlan> plan_image_build(const Recipe& recipe, const packages::HostFacts& host,
                                        const VolumeStore& store) {
  ImageBuildPlan plan;
  plan.build = TRY(plan_build(recipe, host));
  plan.recipe_sha256 = sha256_hex(json_line(recipe_json(recipe)));
  plan.store = store.name();
  plan.volume_commands = store.plan_create(recipe.image.name, recipe.filesystem.size);
  return plan;
}

std::string plan_text(const ImageBuildPlan& plan) {
  const Recipe& recipe = plan.build.recipe;
  std::string text = fmt::format("golden image {} {} in {}, {}\n", recipe.image.name, recipe.image.version, plan.store,
                                 size_text(recipe.filesystem.size));
  for (const std::string& command : plan.volume_commands) {
    text += fmt::format("  run: {}\n", command);
  }
  return text + plan_text(plan.build);
}

nlohmann::json plan_json(const ImageBuildPlan& plan) {
  return {{"verb", "build"},
          {"image", plan.build.recipe.image.name},
          {"store", plan.store},
          {"size", plan.build.recipe.filesystem.size},
          {"recipe_sha256", plan.recipe_sha256},
          {"volume_commands", plan.volume_commands},
          {"build", plan_json(plan.build)}};
}

namespace {

Result<Populated> populate_from_recipe(const ImageBuildPlan& plan, BlockTarget& target,
                                       const std::filesystem::path& work, Progress& progress) {
  BuildResult built = TRY(build(plan.build, target, progress, work));
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_write));
  TRY(write_description(fs, describe_image(plan.build.recipe, plan.recipe_sha256)));
  Populated populated;
  populated.used = fs.used_bytes();
  TRY(fs.close());
  populated.boot = std::move(built.boot);
  populated.packages = built.packages.size();
  populated.filesystem_uuid = built.uuid;
  return populated;
}

}  // namespace

Result<ImageRecord> build_image(Workplace& place, VolumeStore& store, const ImageBuildPlan& plan, Progress& progress) {
  const Recipe& recipe = plan.build.recipe;
  ImageRecord record;
  record.name = recipe.image.name;
  record.version = recipe.image.version;
  record.distribution = recipe.distribution.name;
  record.release = recipe.distribution.release;
  record.architecture = recipe.image.architecture;
  record.size = recipe.filesystem.size;
  record.recipe_sha256 = plan.recipe_sha256;
  record.created = system_clock().now();
  return make_image(
      place, store, "build", std::move(record),
      [&](BlockTarget& target, const std::filesystem::path& work) {
        return populate_from_recipe(plan, target, work, progress);
      },
      progress);
}

}  // namespace domsmith
