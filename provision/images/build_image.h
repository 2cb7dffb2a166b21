// `domsmith build`: a recipe becomes a golden image in a store.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "imagebuild/build.h"
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

Result<ImageRecord> build_image(Workplace& place, VolumeStore& store, const ImageBuildPlan& plan, Progress& progress);

}  // namespace domsmith
