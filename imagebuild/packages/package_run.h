// A package build at work: mmdebstrap as a child process. Its tar comes out of a descriptor; its stderr is read all the
// while, becomes progress events, and is kept (the tail) for the Error of a build that failed.
#pragma once

#include <filesystem>
#include <memory>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/packages/plan.h"

namespace domsmith::packages {

class PackageRun {
 public:
  // Puts agent and step files (they may hold password hashes) into the folder `work`, which the caller removes, and
  // starts mmdebstrap; without one a temporary folder serves. `progress` outlives the run and is called from a thread
  // of the run's own. SIGINT and SIGTERM (base/interrupt.h) end mmdebstrap, and so the tar.
  static Result<PackageRun> start(const PackagePlan& plan, Progress& progress, const std::filesystem::path& work = {});
  PackageRun(PackageRun&&) noexcept;
  PackageRun& operator=(PackageRun&&) noexcept;
  // A run that was not finished is stopped, and mmdebstrap given the time to remove its chroot.
  ~PackageRun();

  // A pipe that the tar comes out of.
  [[nodiscard]] int tar() const;
  // Waits for mmdebstrap and says why where it failed. To be asked before an error in the tar is reported, for a tar
  // that ends early is most often a failed build. ErrorCode::interrupted after a signal.
  Result<void> finish();
  // For a reader that gave up: mmdebstrap is asked to stop. finish() then says what went wrong on its side, if anything
  // had.
  void close_tar();

 private:
  struct State;
  explicit PackageRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace domsmith::packages
