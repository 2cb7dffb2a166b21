// Somebody else's disk: found out and read by libguestfs, whose kernel and file system drivers run in a virtual machine
// of their own (guestfs(3); the format is named, never probed). The host sees a tar of it, and reads that in a sealed
// process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/worker.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::foreign {

struct ForeignSystem {
  std::string architecture;              // Debian's word
  std::vector<std::string> mountpoints;  // "/" and what is brought into its tree: "/boot", "/var"
  std::uint64_t size = 0;                // bytes of the file systems together
};

class ForeignDisk {
 public:
  // Starts the virtual machine (half a minute under emulation) and looks for the system on it. not_found: none;
  // unsupported: no Linux, or more than one system; bad_input: damaged, or not of this format.
  static Result<ForeignDisk> open(const std::string& path, const std::string& format);

  [[nodiscard]] const ForeignSystem& system() const { return system_; }
  // A pipe with the tar of the whole tree. To be read once, and finish() asked behind it.
  [[nodiscard]] int tar() const { return worker_.out(); }
  Result<void> finish() { return worker_.finish(); }
  // The tree, by way of a sealed process. The sink's finish() is left to the caller.
  Result<void> copy_to(TreeSink& sink, Progress& progress);

 private:
  ForeignDisk(Worker worker, ForeignSystem system) : worker_(std::move(worker)), system_(std::move(system)) {}
  Worker worker_;
  ForeignSystem system_;
};

}  // namespace domsmith::foreign
