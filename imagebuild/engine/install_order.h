// In which order an image's packages are installed: the ones that a system begins with, then one group for each name
// that the recipe gives, in the recipe's order, with what it brings along. A group is a layer of the cache, so a name
// added behind the others leaves all that came before as it was. The order follows from the packages alone.
#pragma once

#include <string>
#include <vector>

#include "imagebuild/engine/package.h"

namespace domsmith::engine {

struct PackageFacts {
  Package package;
  std::string control;  // its control file, deb-control(5)
};

// Packages that are unpacked together, and then configured together. Numbers are places in the list of facts.
using Batch = std::vector<std::size_t>;

struct InstallGroup {
  std::string name;  // for people: "nginx-light"
  std::vector<Batch> batches;
};

struct InstallOrder {
  std::vector<std::size_t> base;
  std::vector<InstallGroup> groups;
};

// `only_essential`: the base holds what is essential and what that needs; the required packages are a group of their
// own.
InstallOrder order_installation(const std::vector<PackageFacts>& facts, const std::vector<std::string>& wanted,
                                bool recommends, bool only_essential);

}  // namespace domsmith::engine
