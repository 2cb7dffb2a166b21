// A package build at work: mmdebstrap as a child process. Its tar comes out of a descriptor; its stderr is read all the
// while, becomes progress events, and is kept (the tail) for the Error of a build that failed.
#pragma once

#include <memory>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/packages/plan.h"

namespace domsmith::packages {

class PackageRun {
 public:
  // Makes the work folder, puts agent and step files there, starts mmdebstrap. `progress` outlives the run and is
  // called from a thread of the run's own. SIGINT and SIGTERM (base/interrupt.h) end mmdebstrap, and so the tar.
  static Result<PackageRun> start(const PackagePlan& plan, Progress& progress);
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
