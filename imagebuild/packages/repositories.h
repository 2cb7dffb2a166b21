// What a recipe says of apt beside [distribution]: [[repository]] and [[pin]], as the files that apt reads. The build's
// own apt gets them (engine/apt_root.h), and the image does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

constexpr const char* image_apt_folder = "/etc/apt";

// A file below apt's folder: "keyrings/ledger.asc", "sources.list.d/ledger.sources", "preferences.d/recipe.pref".
struct AptFile {
  std::string path;
  std::string bytes;
  bool operator==(const AptFile&) const = default;
};

// `folder`: where the files will stand, absolute, for a source names its key by path. Keys come before the sources that
// name them.
std::vector<AptFile> apt_files(const std::vector<RecipeRepository>& repositories, const std::vector<RecipePin>& pins,
                               const std::string& folder);

// "deb URL RELEASE COMPONENTS, signed by ledger.asc", for people.
std::string repository_text(const RecipeRepository& repository);
std::string pin_text(const RecipePin& pin);

// apt said these lines and failed: which repository is to blame, where its signature is why.
std::optional<Error> signature_error(const std::vector<RecipeRepository>& repositories,
                                     const std::vector<std::string>& lines);

}  // namespace domsmith::packages
