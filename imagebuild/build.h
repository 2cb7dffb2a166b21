// A golden image from a recipe: packages -> tar -> ext4 on a block target, and the boot files out of it. Nothing is
// mounted and no copy of the tree is staged on disk by us. What the target is, is its owner's affair.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/block_target.h"
#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/boot/boot_files.h"
#include "imagebuild/packages/plan.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith {

struct BuildPlan {
  Recipe recipe;
  packages::PackagePlan packages;
};

Result<BuildPlan> plan_build(const Recipe& recipe, const packages::HostFacts& host);
std::string plan_text(const BuildPlan& plan);
nlohmann::json plan_json(const BuildPlan& plan);

struct InstalledPackage {
  std::string name, version, architecture;
  bool operator==(const InstalledPackage&) const = default;
};

struct BuildResult {
  std::uint64_t files = 0;          // inodes in use
  std::uint64_t content_bytes = 0;  // of regular files
  std::uint64_t written_bytes = 0;  // to the target
  std::string uuid;                 // of the file system
  std::string label;
  std::vector<InstalledPackage> packages;  // by name
  boot::BootFiles boot;                    // empty version: the recipe wants none
};

// Writes the image to a target of at least recipe.filesystem.size bytes that reads as zeroes. Errors: no_space with the
// size that would do in its remedy; interrupted; what packages/, archive/, extfs/ and boot/ say. `work`: an empty
// folder (0700, for the recipe's secrets are put there) that the caller removes; without one a temporary folder serves,
// which a killed process leaves behind.
Result<BuildResult> build(const BuildPlan& plan, BlockTarget& target, Progress& progress,
                          const std::filesystem::path& work = {});

// The "installed" entries of /var/lib/dpkg/status, by name.
std::vector<InstalledPackage> installed_packages(std::string_view dpkg_status);

}  // namespace domsmith
