// What the host offers to a package build; the only part of planning that looks at the machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/packages/sources.h"

namespace domsmith::packages {

struct HostFacts {
  bool root = false;                     // effective uid 0
  std::string architecture;              // Debian's word: amd64
  std::vector<AptSource> sources;        // of the host's /etc/apt
  std::vector<std::string> environment;  // http_proxy and its kin, "NAME=value"
};

// Errors where the build could not work: apt or dpkg missing; for an ordinary user no newuidmap or no /etc/subuid
// entry.
Result<HostFacts> host_facts();

}  // namespace domsmith::packages
