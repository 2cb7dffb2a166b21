// A golden image from a recipe: packages -> tree -> ext4 on a block target, and the boot files out of it. No guest file
// system is mounted. What the target is, is its owner's affair.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/block_target.h"
#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/boot/boot_files.h"
#include "imagebuild/engine/package.h"
#include "imagebuild/extfs/uuid.h"
#include "imagebuild/packages/plan.h"
#include "imagebuild/recipe/recipe.h"
#include "imagebuild/sources/plan.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

namespace extfs {
class FileSystem;
}

struct BuildPlan {
  Recipe recipe;
  packages::PackagePlan packages;             // of [distribution]
  std::optional<sources::SourcePlan> source;  // of [source]: then there are no packages to plan
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
  std::uint64_t used_bytes = 0;     // of the file system: metadata, journal and files
  std::string uuid;                 // of the file system
  std::string label;
  std::vector<InstalledPackage> packages;  // by name
  boot::BootFiles boot;                    // empty version: the recipe wants none
  engine::PackageSet chosen;               // what was asked for, by hash
};

struct BuildOptions {
  // An empty folder (0700, for the recipe's secrets are put there) that the caller removes; without one a temporary
  // folder serves, which a killed process leaves behind.
  std::filesystem::path work = {};
  // Of package lists, packages and layers (engine/engine.h), on the file system of `work`; without one nothing is kept.
  std::filesystem::path cache = {};
  bool layers = true;                               // false: no layer is used, and none kept
  std::chrono::seconds lists_age{3600};             // the mirrors are not asked again within it
  std::optional<engine::PackageSet> packages = {};  // exactly these; absent: what apt chooses
  std::map<std::string, std::string> files = {};    // put into the finished tree, by path without the leading '/'
};

// The size of [filesystem] size = "auto": what is in the image and the headroom. The tree is made for it and thrown
// away; it is made of the same layers as the image will be.
Result<std::uint64_t> measure(const BuildPlan& plan, Progress& progress, const BuildOptions& options = {});

// Writes the image to a target of at least recipe.filesystem.size bytes that reads as zeroes. Errors: no_space with the
// size that would do in its remedy; interrupted; what packages/, engine/, extfs/ and boot/ say.
Result<BuildResult> build(const BuildPlan& plan, BlockTarget& target, Progress& progress,
                          const BuildOptions& options = {});

// What else than the tree is in a file system. Absent: random, and now.
struct ImageStamp {
  std::optional<extfs::Uuid> uuid = {}, hash_seed = {};
  std::optional<std::int64_t> time = {};  // seconds since 1970
};
// The same for any tree: `give` gives it to the sink, whose finish() is not its affair.
using GiveTree = std::function<Result<void>(TreeSink& sink, Progress& progress)>;
Result<BuildResult> build_from(const BuildPlan& plan, BlockTarget& target, Progress& progress, const ImageStamp& stamp,
                               const GiveTree& give);

Result<std::uint64_t> measure_from(const BuildPlan& plan, Progress& progress, const GiveTree& give);

// As which kinds of guest the kernel can boot: a note, or a warning where it is none, or not known.
void say_ability(const boot::BootFiles& files, Progress& progress);

// What is installed in an image, by its own package manager's word.
struct Installed {
  std::string kind;  // "deb", "alpm" (pacman), "rpm", as a package URL names it; "" where there is none
  std::vector<InstalledPackage> packages;
  std::vector<std::string> sources = {};  // of kind "deb": the image's apt sources, a line of sources.list(5) each
};
Result<Installed> installed_in(extfs::FileSystem& image);
// rpm's own database is one that only rpm reads, so a build writes this list beside it.
constexpr const char* rpm_list_path = "/usr/lib/domsmith/packages.json";

// The "installed" entries of /var/lib/dpkg/status, by name.
std::vector<InstalledPackage> installed_packages(std::string_view dpkg_status);

}  // namespace domsmith
