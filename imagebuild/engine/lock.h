// A lock file, NAME.lock.toml: the packages that an image was built of, each by version and hash, and the state of the
// mirrors that they were chosen from. A build of it needs apt's answer no more, nor its lists; what it fetches is told
// by hash.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "imagebuild/engine/package.h"
#include "imagebuild/recipe/schema.h"

namespace domsmith::engine {

struct Lock {
  std::string image;   // its name
  std::string recipe;  // SHA-256 of the recipe that was built: another one may need other packages
  PackageSet set;
  bool operator==(const Lock&) const = default;
};

const Schema& lock_schema();

// NAME.lock.toml, beside the recipe of the image NAME.
std::filesystem::path lock_beside(const std::filesystem::path& recipe, const std::string& image);

std::string lock_text(const Lock& lock);
Result<Lock> parse_lock(std::string_view text, const std::string& file);
Result<Lock> load_lock(const std::filesystem::path& file);

}  // namespace domsmith::engine
