// A file system from one target to another, block for block, without its free blocks.
#pragma once

#include "base/block_target.h"
#include "base/progress.h"

namespace domsmith {

// Copies the blocks that the file system uses, and none of the free ones, which may hold old bytes. What reads as
// zeroes (an empty journal, inode tables without inodes) stays a hole: `to` is new, and as long as `from` or longer.
// unsupported: `from` holds no clean ext4. Stage "copy" of the progress; interrupted.
Result<void> copy_used_blocks(BlockTarget& from, BlockTarget& to, Progress& progress);

// What the free blocks of a file system hold is gone afterwards: files that were removed from it leave their bytes
// there.
Result<void> discard_free_blocks(BlockTarget& target);

}  // namespace domsmith
