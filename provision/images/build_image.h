// `domsmith build`: a recipe becomes a golden image in a store.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "imagebuild/build.h"
#include "imagebuild/engine/lock.h"
#include "provision/images/make_image.h"

namespace domsmith {

struct ImageBuildPlan {
  BuildPlan build;
  std::string recipe_sha256;
  std::string store;
  std::vector<std::string> volume_commands;  // external commands that the store would run
};

Result<ImageBuildPlan> plan_image_build(const Recipe& recipe, const packages::HostFacts& host,
                                        const VolumeStore& store);
std::string plan_text(const ImageBuildPlan& plan);
nlohmann::json plan_json(const ImageBuildPlan& plan);

struct ImageBuildOptions {
  bool layers = true;                     // false: nothing of the cache's layers is used or kept
  std::chrono::seconds lists_age{3600};   // the mirrors are not asked again within it
  std::optional<engine::Lock> lock = {};  // exactly its packages
};

struct BuiltImage {
  ImageRecord record;
  engine::Lock lock;
  bool made = true;  // false: the store had it already, of this recipe and these packages
};

// What `build` would install: asks apt, but changes nothing outside the cache; without a cache yet, nothing at all.
Result<engine::PackageSet> preview_packages(const Workplace& place, const ImageBuildPlan& plan,
                                            const ImageBuildOptions& options, Progress& progress);
// bad_input where the lock is of another recipe or architecture.
Result<BuiltImage> build_image(Workplace& place, VolumeStore& store, const ImageBuildPlan& plan,
                               const ImageBuildOptions& options, Progress& progress);

// Builds the image again from its recipe and a lock, and compares the bytes with the store's: nullopt where all are
// the same, else the offset of the first that differs.
Result<std::optional<std::uint64_t>> rebuild_and_compare(Workplace& place, VolumeStore& store,
                                                         const ImageBuildPlan& plan, const ImageBuildOptions& options,
                                                         Progress& progress);

// The cache of builds, below the state folder. Whoever builds holds it shared, whoever removes from it alone.
std::filesystem::path build_cache(const Workplace& place);

}  // namespace domsmith
