// A package that an image is to hold: all that has to be known to fetch it and to be sure of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace domsmith::engine {

enum class Role {
  essential,   // dpkg's own word: it has to work before anything else is configured
  required,    // of priority "required", or what those need
  wanted,      // named by the recipe
  dependency,  // came along with a wanted one (apt's Auto-Installed)
};

struct Package {
  std::string name, version, architecture;  // as in its control file: "all" too
  Role role = Role::dependency;
  std::string uri = {};
  std::string sha256 = {};
  std::uint64_t size = 0;  // of the file, bytes

  // The file's name in the archives folder: "bash_5.2.15-2_amd64.deb", the version's ':' as %3a.
  [[nodiscard]] std::string file() const;
  bool operator==(const Package&) const = default;
};

// The whole answer of apt for a recipe: what a lock file records.
struct PackageSet {
  struct Source {
    std::string line;            // of sources.list(5)
    std::string release_sha256;  // of its InRelease file
    std::string date;            // the file's own "Date:"
    bool operator==(const Source&) const = default;
  };
  std::string architecture;
  std::vector<Source> sources;
  std::int64_t epoch = 0;         // SOURCE_DATE_EPOCH of the build: the newest date of the sources, or the user's
  std::vector<Package> packages;  // by name
  bool operator==(const PackageSet&) const = default;

  // SHA-256 of what the packages are, and of the epoch: two sets of one hash make the same tree.
  [[nodiscard]] std::string sha256() const;
};

}  // namespace domsmith::engine
