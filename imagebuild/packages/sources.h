// apt sources: the host's own (sources.list(5): one-line and deb822) and those a recipe names, as one-line entries for
// the build. Only signed ones.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

struct AptSource {
  std::string uri;
  std::string suite;  // "bookworm", "bookworm-security"
  std::vector<std::string> components;
  std::string signed_by;             // path of a keyring, or fingerprints; empty: apt's trusted keys
  bool trusted = false;              // [trusted=yes], [allow-insecure=yes]: unsigned packages would be taken
  std::string origin;                // "/etc/apt/sources.list.d/debian.sources:3"
  std::vector<std::string> options;  // further ones, such as "check-valid-until=no"

  // "deb [signed-by=… OPTION=…] URI SUITE COMPONENTS", as sources.list(5) has it.
  [[nodiscard]] std::string line() const;
  bool operator==(const AptSource&) const = default;
};

// Entries that are enabled and of type deb. Errors name file and line.
Result<std::vector<AptSource>> parse_one_line(std::string_view text, const std::string& file);
Result<std::vector<AptSource>> parse_deb822(std::string_view text, const std::string& file);

// DIR/sources.list, DIR/sources.list.d/*.{list,sources}; a host that has none gives an empty list.
Result<std::vector<AptSource>> read_host_sources(const std::filesystem::path& directory = "/etc/apt");

// The sources of a build: the recipe's mirrors, or those of the host's whose suite is RELEASE, RELEASE-updates or
// RELEASE-security and which carry the wanted components. Errors: none fits, or one is not signed.
Result<std::vector<AptSource>> select_sources(const Recipe::Distribution& wanted, const std::vector<AptSource>& host);

}  // namespace domsmith::packages
