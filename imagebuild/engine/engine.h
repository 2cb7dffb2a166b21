// Our own way from a package plan to a tree: apt answers which packages (apt_root.h), a process in namespaces of its
// own makes the tree (worker.h) layer by layer, and what is in the cache already is not made again (layers.h).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/engine/package.h"
#include "imagebuild/packages/package_run.h"
#include "imagebuild/packages/plan.h"

namespace domsmith::engine {

struct EngineOptions {
  // The cache: apt's lists and packages, and layers. Below it "apt/" and "layers/"; 0700.
  std::filesystem::path cache;
  bool layers = true;                    // false: nothing of the cache's layers is used, and none is kept
  std::chrono::seconds lists_age{3600};  // mirrors are not asked again within it
};

// What apt answers to the plan; the mirrors are asked where the cache's lists are too old.
Result<PackageSet> choose_packages(const packages::PackagePlan& plan, const EngineOptions& options, Progress& progress);

class TreeBuild {
 public:
  // Fetches what is missing, and starts the process. `work`: an empty folder of the caller's, on the cache's file
  // system. `progress` outlives the build.
  static Result<TreeBuild> start(const packages::PackagePlan& plan, const PackageSet& set, const EngineOptions& options,
                                 const std::filesystem::path& work, Progress& progress);
  [[nodiscard]] int tree() const { return run_.tree(); }  // a pipe, for read_wire()
  void close_tree() { run_.close_tree(); }                // for a reader that gave up
  Result<void> finish();

 private:
  explicit TreeBuild(packages::PackageRun run) : run_(std::move(run)) {}
  packages::PackageRun run_;
};

}  // namespace domsmith::engine
