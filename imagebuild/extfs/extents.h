// Where a file's blocks lie: extents, and the tree of them that an inode holds.
// On-disk format: Documentation/filesystems/ext4/ifork.rst.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/block_cursor.h"
#include "imagebuild/extfs/block_writer.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

// Lengths and places in blocks.
struct Extent {
  std::uint32_t logical = 0;   // in the file
  std::uint32_t length = 0;    // at most 32768
  std::uint64_t physical = 0;  // on the target
};

// Adds a run behind the last extent, and to it where both are contiguous.
void append_extent(std::vector<Extent>& extents, std::uint32_t logical, BlockRun run);

struct ExtentTree {
  std::array<std::byte, 60> root{};  // for i_block
  std::vector<BlockRun> blocks;      // taken for the tree, beside the root
};
// Takes and writes the blocks that more than four extents need. The inode is a new one, of generation 0.
Result<ExtentTree> write_extent_tree(ext2_filsys fs, ext2_ino_t inode, std::span<const Extent> extents,
                                     BlockCursor& cursor, BlockWriter& writer);

}  // namespace domsmith::extfs
