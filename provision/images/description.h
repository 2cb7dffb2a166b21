// What a golden image says about itself, inside itself: /usr/lib/domsmith/image.json.
//
// With it a store needs no registry to be useful: an image that was copied with dd, or that another registry made, can
// be cloned by anyone who has the store. The boot files are made anew from the image, and come out the same.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith {

namespace extfs {
class FileSystem;
}

struct ImageDescription {
  std::string name, version;
  std::string distribution, release, architecture;
  std::string recipe_sha256;
  std::string packages_sha256 = {};  // of the set it was built of (engine/package.h); empty: not known
  Recipe::Boot boot;
  bool operator==(const ImageDescription& other) const;
};

ImageDescription describe_image(const Recipe& recipe, std::string recipe_sha256);

std::string description_text(const ImageDescription& description);  // JSON
Result<ImageDescription> parse_description(const std::string& text);

// Distribution and release, as the image's own os-release(5) has them; "linux" where it has none.
Result<void> name_system(extfs::FileSystem& image, ImageDescription& description);

// Where it stands in an image, without the leading '/'.
inline constexpr const char* description_path = "usr/lib/domsmith/image.json";
Result<void> write_description(extfs::FileSystem& image, const ImageDescription& description);
// not_found with a remedy where the image has none.
Result<ImageDescription> read_description(extfs::FileSystem& image);

}  // namespace domsmith
