// A package build at work: mmdebstrap as a child process. Its tar comes out of read(); its stderr is read all the
// while, becomes progress events, and is kept (the tail) for the Error of a build that failed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/packages/plan.h"

namespace domsmith::packages {

class PackageRun {
 public:
  // Makes the work folder, puts agent and step files there, starts mmdebstrap. `progress` outlives the run.
  static Result<PackageRun> start(const PackagePlan& plan, Progress& progress);
  PackageRun(PackageRun&&) noexcept;
  PackageRun& operator=(PackageRun&&) noexcept;
  // A run that was not finished is stopped and mmdebstrap given the time to remove its chroot.
  ~PackageRun();

  // The next bytes of the tar; 0 at its end. ErrorCode::interrupted after SIGINT or SIGTERM.
  Result<std::size_t> read(std::span<std::byte> into);
  // After the end of the tar: waits, and says why where mmdebstrap failed. To be asked before an error in the tar is
  // reported, for a tar that ends early is most often a failed build.
  Result<void> finish();

 private:
  struct State;
  explicit PackageRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace domsmith::packages
