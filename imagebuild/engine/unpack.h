// Packages unpacked into a tree that has none, several at once, each exactly once; and dpkg's database of them, as dpkg
// would have written it (dpkg(1), deb(5), deb-conffiles(5), deb-triggers(5)). Then `dpkg --configure` does the rest.
//
// This is for the packages that a tree begins with. There nothing is diverted yet, nothing replaced and nothing asked,
// so that the order in which files arrive does not matter. Later packages are dpkg's own to unpack.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/archive/deb.h"
#include "imagebuild/engine/package.h"
#include "imagebuild/engine/path_filter.h"

namespace domsmith::engine {

struct UnpackedPackage {
  Package package;
  ControlFiles control;
  std::vector<std::string> paths;  // "/.", "/usr", "/usr/bin" …: as in its .list
  std::vector<Entry> folders;
  std::vector<std::string> files;  // paths of what is no folder, for finding two owners of one

  // "libc6:amd64" where several architectures may be installed beside each other, else "bash".
  [[nodiscard]] std::string database_name() const;
};

// Opens the files in `archives`, compares their SHA-256, and unpacks them below `root`, the first before all others and
// the rest on all processors. Conffiles get the name that dpkg gives them before they are configured.
Result<std::vector<UnpackedPackage>> unpack(const std::filesystem::path& archives, const std::vector<Package>& packages,
                                            int root, const PathFilter& filter);

// Below ROOT/var/lib/dpkg: info/, triggers/, arch; and the status file of `packages`, all of them unpacked.
Result<void> write_database(int root, const std::string& architecture, const std::vector<UnpackedPackage>& packages);

}  // namespace domsmith::engine
