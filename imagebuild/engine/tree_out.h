// A finished tree on its way out of the process that made it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace domsmith::engine {

// The folder as read_folder() gives it, through `fd` (tree/wire.h). No time is younger than `epoch`, and /dev holds the
// devices that every Debian has, which an ordinary user could not have made.
Result<void> give_tree(const std::string& root, std::int64_t epoch, int fd);

}  // namespace domsmith::engine
