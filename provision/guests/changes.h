// What a guest has changed, as files: its file system beside the golden image's, what its identity brought left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/block_target.h"
#include "provision/identity/identity.h"

namespace domsmith {

struct Changes {
  std::uint64_t count = 0;         // files, links and devices that are new, other ones, or gone
  std::vector<std::string> first;  // some of their paths, sorted
};

// Type, owner, mode, length and time of change tell one file from another; of folders only whether they are there.
// unsupported: one of them holds no clean ext4.
Result<Changes> changes_of(BlockTarget& origin, BlockTarget& clone, const Identity& identity);

// "/etc/motd, /srv/a, …": those that are named, and whether there are more.
std::string paths_text(const Changes& changes);

}  // namespace domsmith
