#include "provision/images/build_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "imagebuild/engine/engine.h"
#include "imagebuild/engine/layers.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/recipe/show.h"
#include "provision/images/description.h"

namespace domsmith {

Result<ImageBuildPlan> plan_image_build(const Recipe& recipe, const packages::HostFacts& host,
                                        const VolumeStore& store) {
  ImageBuildPlan plan;
  plan.build = TRY(plan_build(recipe, host));
  plan.recipe_sha256 = recipe_sha256(recipe);
  plan.store = store.name();
  if (recipe.filesystem.size != 0) {
    plan.volume_commands = store.plan_create(recipe.image.name, recipe.filesystem.size);
  }
  return plan;
}

std::string plan_text(const ImageBuildPlan& plan) {
  const Recipe& recipe = plan.build.recipe;
  std::string text =
      fmt::format("golden image {} {} in {}, {}\n", recipe.image.name, recipe.image.version, plan.store,
                  recipe.filesystem.size == 0 ? "as large as it has to be" : size_text(recipe.filesystem.size));
  for (const std::string& command : plan.volume_commands) {
    text += fmt::format("  run: {}\n", command);
  }
  return text + plan_text(plan.build);
}

nlohmann::json plan_json(const ImageBuildPlan& plan) {
  return {{"verb", "build"},
          {"image", plan.build.recipe.image.name},
          {"store", plan.store},
          {"size", plan.build.recipe.filesystem.size == 0 ? nlohmann::json()
                                                          : nlohmann::json(plan.build.recipe.filesystem.size)},
          {"recipe_sha256", plan.recipe_sha256},
          {"volume_commands", plan.volume_commands},
          {"build", plan_json(plan.build)}};
}

namespace {

engine::EngineOptions engine_options(const std::filesystem::path& cache, const ImageBuildOptions& options) {
  return {.cache = cache, .layers = options.layers, .lists_age = options.lists_age};
}

Result<FileLock> hold_cache(const Workplace& place, FileLock::Mode mode) {
  TRY(make_directories(build_cache(place), 0700));
  return FileLock::acquire(build_cache(place) / "lock", mode);
}

Result<engine::PackageSet> packages_of(const Workplace& place, const ImageBuildPlan& plan,
                                       const ImageBuildOptions& options, Progress& progress) {
  if (!options.lock) {
    return TRY_AS(engine::choose_packages(plan.build.packages, engine_options(build_cache(place), options), progress),
                  fmt::format("cannot build the packages of '{}'", plan.build.recipe.image.name));
  }
  if (options.lock->recipe != plan.recipe_sha256 ||
      options.lock->set.architecture != plan.build.recipe.image.architecture) {
    return fail(ErrorCode::bad_input,
                fmt::format("the lock is not of this recipe: '{}' has changed since", plan.build.recipe.image.name),
                "build without --locked, which writes a new lock");
  }
  return options.lock->set;
}

ImageDescription description_of(const ImageBuildPlan& plan, const engine::PackageSet& set) {
  ImageDescription description = describe_image(plan.build.recipe, plan.recipe_sha256);
  description.packages_sha256 = set.sha256();
  return description;
}

BuildOptions build_options(const Workplace& place, const ImageBuildPlan& plan, const ImageBuildOptions& options,
                           const engine::PackageSet& set, const std::filesystem::path& work) {
  return {.work = work,
          .cache = build_cache(place),
          .layers = options.layers,
          .lists_age = options.lists_age,
          .packages = set,
          .files = {{description_path, description_text(description_of(plan, set))}}};
}

// The image that the store has under this name, where it is what would be built.
Result<std::optional<ImageRecord>> find_same(Workplace& place, VolumeStore& store, const ImageBuildPlan& plan,
                                             const engine::PackageSet& set) {
  const auto found = place.registry.find_image(store.name(), plan.build.recipe.image.name);
  if (!found || found->state != ImageState::ready || found->recipe_sha256 != plan.recipe_sha256) {
    return std::nullopt;
  }
  const auto target = TRY(store.open(found->volume, Access::read_only));
  extfs::FileSystem image = TRY(extfs::FileSystem::open(*target, Access::read_only));
  const auto description = read_description(image);
  return description && *description == description_of(plan, set) ? std::optional(*found) : std::nullopt;
}

ImageRecord record_of_recipe(const ImageBuildPlan& plan) {
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
  return record;
}

// An operation of one step with a folder to work in. Journalled, so that what a crash leaves is removed.
template <class T>
Result<T> in_work_folder(Workplace& place, std::string_view verb, nlohmann::json parameters, std::string_view step,
                         const std::function<Result<T>(const std::filesystem::path& work)>& act) {
  Operation operation = TRY(place.journal.begin(verb, std::move(parameters)));
  const std::filesystem::path work = place.work_folder(operation);
  const auto perform = [&](Operation& begun) -> Result<T> {
    return begun.perform(step, nlohmann::json::object(), [&]() -> Result<T> {
      TRY(make_directories(work, 0700));
      T done = TRY(act(work));
      TRY(engine::remove_tree(work));
      return done;
    });
  };
  return carry_out(std::move(operation), perform, [&](Operation&) { return engine::remove_tree(work); });
}

// Of size "auto": the plan with the size that its tree needs.
Result<ImageBuildPlan> sized(Workplace& place, const VolumeStore& store, const ImageBuildPlan& plan,
                             const std::function<BuildOptions(const std::filesystem::path& work)>& options,
                             Progress& progress) {
  ImageBuildPlan out = plan;
  if (plan.build.recipe.filesystem.size != 0) {
    return out;
  }
  const std::string& image = plan.build.recipe.image.name;
  out.build.recipe.filesystem.size = TRY(in_work_folder<std::uint64_t>(
      place, "measure", {{"store", store.name()}, {"image", image}}, "measure",
      [&](const std::filesystem::path& work) { return measure(plan.build, progress, options(work)); }));
  progress.note(fmt::format("the file system of '{}' has {}", image, size_text(out.build.recipe.filesystem.size)));
  return out;
}

Populated populated_of(BuildResult built);

// A tree of [source] says itself what system it is, and only when it is there.
Result<Populated> populate_from_source(const ImageBuildPlan& plan, BlockTarget& target,
                                       const std::filesystem::path& work, Progress& progress) {
  Populated populated = populated_of(TRY(build(plan.build, target, progress, {.work = work, .cache = work})));
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_write));
  ImageDescription description = describe_image(plan.build.recipe, plan.recipe_sha256);
  TRY(name_system(fs, description));
  TRY(write_description(fs, description));
  populated.distribution = description.distribution;
  populated.release = description.release;
  populated.used = fs.used_bytes();
  TRY(fs.close());
  return populated;
}

Populated populated_of(BuildResult built) {
  Populated populated;
  populated.used = built.used_bytes;
  populated.packages = built.packages.size();
  populated.filesystem_uuid = built.uuid;
  populated.boot = std::move(built.boot);
  return populated;
}

Result<std::optional<std::uint64_t>> first_difference(BlockTarget& one, BlockTarget& other) {
  constexpr std::size_t piece = 1U << 20;
  std::vector<std::byte> left(piece), right(piece);
  const std::uint64_t size = std::min(one.size(), other.size());
  for (std::uint64_t at = 0; at < size; at += piece) {
    const std::size_t count = std::min<std::uint64_t>(piece, size - at);
    TRY(check_interrupted());
    TRY(one.read(at, std::span(left).first(count)));
    TRY(other.read(at, std::span(right).first(count)));
    const auto [differs, there] = std::ranges::mismatch(std::span(left).first(count), std::span(right).first(count));
    if (differs != std::span(left).first(count).end()) {
      return at + static_cast<std::uint64_t>(differs - std::span(left).first(count).begin());
    }
  }
  return std::nullopt;
}

}  // namespace

std::filesystem::path build_cache(const Workplace& place) { return place.state / "cache"; }

Result<engine::PackageSet> preview_packages(const Workplace& place, const ImageBuildPlan& plan,
                                            const ImageBuildOptions& options, Progress& progress) {
  if (options.lock || std::filesystem::exists(build_cache(place))) {
    return packages_of(place, plan, options, progress);
  }
  const TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-plan-"));
  return engine::choose_packages(plan.build.packages, engine_options(folder.path(), options), progress);
}

Result<BuiltImage> build_image(Workplace& place, VolumeStore& store, const ImageBuildPlan& asked,
                               const ImageBuildOptions& options, Progress& progress) {
  if (asked.build.source) {
    const ImageBuildPlan plan = TRY(sized(
        place, store, asked,
        [](const std::filesystem::path& work) { return BuildOptions{.work = work, .cache = work}; }, progress));
    return BuiltImage{.record = TRY(make_image(
                          place, store, "build", record_of_recipe(plan),
                          [&](BlockTarget& target, const std::filesystem::path& work) {
                            return populate_from_source(plan, target, work, progress);
                          },
                          progress)),
                      .lock = {}};
  }
  const FileLock cache = TRY(hold_cache(place, FileLock::Mode::shared));
  const engine::PackageSet set = TRY(packages_of(place, asked, options, progress));
  BuiltImage built{.record = {},
                   .lock = {.image = asked.build.recipe.image.name, .recipe = asked.recipe_sha256, .set = set}};
  if (options.layers) {
    if (auto same = TRY(find_same(place, store, asked, set))) {
      built.record = std::move(*same);
      built.made = false;
      return built;
    }
  }
  const ImageBuildPlan plan = TRY(sized(
      place, store, asked,
      [&](const std::filesystem::path& work) { return build_options(place, asked, options, set, work); }, progress));
  built.record = TRY(make_image(
      place, store, "build", record_of_recipe(plan),
      [&](BlockTarget& target, const std::filesystem::path& work) -> Result<Populated> {
        return populated_of(TRY(build(plan.build, target, progress, build_options(place, plan, options, set, work))));
      },
      progress));
  return built;
}

Result<std::optional<std::uint64_t>> rebuild_and_compare(Workplace& place, VolumeStore& store,
                                                         const ImageBuildPlan& asked, const ImageBuildOptions& options,
                                                         Progress& progress) {
  const FileLock cache = TRY(hold_cache(place, FileLock::Mode::shared));
  const ImageRecord image = TRY(place.registry.find_image(store.name(), asked.build.recipe.image.name));
  ImageBuildPlan plan = asked;
  if (plan.build.recipe.filesystem.size == 0) {
    plan.build.recipe.filesystem.size = image.size;
  }
  const engine::PackageSet set = TRY(packages_of(place, plan, options, progress));
  const auto act = [&](const std::filesystem::path& work) -> Result<std::optional<std::uint64_t>> {
    const std::string file = work / "image";
    TRY(write_file_atomic(file, "", 0600));
    std::filesystem::resize_file(file, plan.build.recipe.filesystem.size);
    const auto target = TRY(open_block_target(file, Access::read_write));
    TRY(build(plan.build, *target, progress, build_options(place, plan, options, set, work)));
    const auto volume = TRY(store.open(image.volume, Access::read_only));
    return first_difference(*target, *volume);
  };
  return in_work_folder<std::optional<std::uint64_t>>(place, "verify", {{"store", store.name()}, {"image", image.name}},
                                                      "rebuild", act);
}

}  // namespace domsmith
