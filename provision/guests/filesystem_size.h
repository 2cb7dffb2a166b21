// A guest's ext4 made longer or shorter while nobody uses it, by e2fsck(8) and resize2fs(8).
//
// resize2fs moves blocks in place, and is not made to be killed: it keeps what it overwrites in an undo file (its -z,
// e2undo(8)), with which a recovery takes back what was begun.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

// What the file system needs at least, bytes, as resize2fs -P reckons: a little more than what is used.
Result<std::uint64_t> least_filesystem_size(const std::string& device);

// `undo` is a file that is not there yet, in a folder of the operation's own. unsupported: a file system that needs
// more than e2fsck -p. no_space: it does not fit. The undo file stays.
Result<void> resize_filesystem(const std::string& device, std::uint64_t size, const std::filesystem::path& undo);

// Takes back a resize_filesystem() that was cut off; nothing where it had not begun.
Result<void> undo_resize(const std::string& device, const std::filesystem::path& undo);

// The commands, for plans.
std::vector<std::string> plan_filesystem_size(const std::string& device, std::uint64_t size);

}  // namespace domsmith
