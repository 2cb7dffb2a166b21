// How large a file system has to be for a tree.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace domsmith::extfs {

// Beyond what an empty file system takes for itself.
struct Need {
  std::uint64_t blocks = 0;
  std::uint64_t inodes = 0;
  std::uint32_t inode_ratio = 16384;
};

struct NeededSize {
  std::uint64_t least = 0;    // bytes, in whole MiB
  std::uint64_t rounded = 0;  // a rounder number, as a person would write it
};

// Found by making empty file systems in memory: no formula of tables, backups and journal to drift from the real ones.
Result<NeededSize> needed_size(const Need& need);

// 234881024 -> "224MiB", as a recipe takes it. For whole MiB.
std::string recipe_size(std::uint64_t bytes);

}  // namespace domsmith::extfs
