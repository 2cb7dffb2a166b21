// What differs between two images: packages, and files by type, owner, mode, attributes' owner and content. Times do
// not count.
#pragma once

#include <string>
#include <vector>

#include "imagebuild/build.h"

namespace domsmith {

struct PackageChange {
  std::string name;
  std::string before, after;  // versions; empty: it is not there
  bool operator==(const PackageChange&) const = default;
};

struct FileChange {
  std::string path;
  std::string what;  // "added", "removed", "content", "mode 0644 -> 0600"
  bool operator==(const FileChange&) const = default;
};

std::vector<PackageChange> diff_packages(const std::vector<InstalledPackage>& before,
                                         const std::vector<InstalledPackage>& after);

// By path. Files of more than 256 MiB count as different where their sizes are. bad_input for an image that is damaged.
Result<std::vector<FileChange>> diff_files(extfs::FileSystem& before, extfs::FileSystem& after);

}  // namespace domsmith
