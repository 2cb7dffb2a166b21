// apt in a folder of its own: the recipe's sources and nothing of the host's but its keys. It reads the lists (and
// checks their signatures), answers which packages an image needs, and fetches them. Nothing is installed by it.
//
//   DIR/etc, apt.conf     what apt is told
//   DIR/state/lists       what the mirrors say; DIR/stamp holds when they were asked, and for which sources
//   DIR/state/reach       the same, cut down to what this recipe can reach (package_lists.h)
//   DIR/archives          packages, by file name; whoever uses one compares its SHA-256
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/engine/package.h"
#include "imagebuild/packages/plan.h"

namespace domsmith::engine {

class AptRoot {
 public:
  // Makes the folder, and holds its lock as long as it lives: one apt at a time.
  static Result<AptRoot> open(const std::filesystem::path& folder, const packages::PackagePlan& plan);

  // Asks the mirrors, unless they were asked within `age`.
  Result<void> update(std::chrono::seconds age, Progress& progress);
  // The packages that the plan needs, as apt chooses them: first the essential ones alone, then the others on top of
  // them, as it would be done in an image.
  Result<PackageSet> choose(Progress& progress);
  // Those that are not in archives() yet.
  Result<void> fetch(const std::vector<Package>& packages, Progress& progress);

  [[nodiscard]] std::filesystem::path archives() const { return folder_ / "archives"; }

 private:
  AptRoot(std::filesystem::path folder, const packages::PackagePlan& plan, FileLock lock)
      : folder_(std::move(folder)), plan_(&plan), lock_(std::move(lock)) {}
  Result<void> configure();
  Result<PackageSet> resolve(Progress& progress);
  Result<void> reduce();
  [[nodiscard]] Command command(const std::string& program, std::vector<std::string> arguments) const;
  Result<std::string> run_apt(std::vector<std::string> arguments);
  Result<std::vector<Package>> print_uris(std::vector<std::string> wanted);
  [[nodiscard]] Result<std::vector<PackageSet::Source>> sources(std::int64_t& newest) const;

  std::filesystem::path folder_;
  const packages::PackagePlan* plan_;
  FileLock lock_;
};

}  // namespace domsmith::engine
