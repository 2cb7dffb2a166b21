// What is known of the distributions that a recipe can name: where their packages are, and which keys sign them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

// The keyring that the distribution's own package installs, on its hosts and, by that package, on others: the image has
// it at the same place. Empty for Debian, whose keys are among apt's trusted ones.
std::string keyring_of(std::string_view distribution);

// Lines of sources.list(5) of the distribution's own mirrors: the release, its updates and its security. None for
// Debian: which of its many mirrors serves, its hosts know.
std::vector<std::string> own_mirrors(const Recipe::Distribution& wanted, std::string_view architecture);

}  // namespace domsmith::packages
