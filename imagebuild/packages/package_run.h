// A package build at work: a child process that makes a tree. The tree comes out of a descriptor; its stderr is read
// all the while, becomes progress events, and is kept (the tail) for the Error of a build that failed.
#pragma once

#include <memory>
#include <string>

#include "base/process.h"
#include "base/progress.h"
#include "base/result.h"

namespace domsmith::packages {

class PackageRun {
 public:
  // `progress` outlives the run and is called from a thread of the run's own. SIGINT and SIGTERM (base/interrupt.h) end
  // the child, and so the tree.
  static PackageRun listen(Child child, std::string suite, Progress& progress);
  PackageRun(PackageRun&&) noexcept;
  PackageRun& operator=(PackageRun&&) noexcept;
  // A run that was not finished is stopped.
  ~PackageRun();

  // A pipe that the tree comes out of.
  [[nodiscard]] int tree() const;
  // Waits for the child and says why where it failed. To be asked before an error in the tree is reported, for a tree
  // that ends early is most often a failed build. ErrorCode::interrupted after a signal.
  Result<void> finish();
  // For a reader that gave up: the child is asked to stop. finish() then says what went wrong on its side, if anything
  // had.
  void close_tree();

 private:
  struct State;
  explicit PackageRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace domsmith::packages
