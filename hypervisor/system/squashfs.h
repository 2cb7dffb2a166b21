// Packing with mksquashfs(1).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace domsmith {

// Packs `source` (a folder, or "-" with `more` holding "-tar") into `file`. The same content gives the same bytes:
// neither times nor extended attributes are kept, and the root's mode is 0755. `more`: compression, owners.
Result<Command> squashfs_command(const std::string& source, const std::filesystem::path& file,
                                 const std::vector<std::string>& more);

}  // namespace domsmith
