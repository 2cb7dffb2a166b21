#include "imagebuild/extfs/block_cursor.h"

#include <algorithm>

namespace domsmith::extfs {

BlockCursor::BlockCursor(ext2_filsys fs)
    : fs_(fs), blocks_(ext2fs_blocks_count(fs->super)), searched_(fs->super->s_first_data_block), beyond_(blocks_) {}

BlockRun BlockCursor::next_run(std::uint64_t at_most) {
  if (free_.count == 0 && searched_ < blocks_) {
    blk64_t first = 0;
    if (ext2fs_find_first_zero_block_bitmap2(fs_->block_map, searched_, blocks_ - 1, &first) == 0) {
      blk64_t end = 0;
      if (ext2fs_find_first_set_block_bitmap2(fs_->block_map, first, blocks_ - 1, &end) != 0) {
        end = blocks_;
      }
      free_ = {.first = first, .count = end - first};
      searched_ = end;
    } else {
      searched_ = blocks_;
    }
  }
  BlockRun* source = &free_;
  if (free_.count == 0 && !returned_.empty()) {
    source = &returned_.back();
  }
  if (source->count == 0) {
    const BlockRun run{.first = beyond_, .count = at_most};
    beyond_ += at_most;
    return run;
  }
  const BlockRun run{.first = source->first, .count = std::min(at_most, source->count)};
  source->first += run.count;
  source->count -= run.count;
  if (source != &free_ && source->count == 0) {
    returned_.pop_back();
  }
  return run;
}

BlockRun BlockCursor::take(std::uint64_t at_most) {
  const BlockRun run = next_run(at_most);
  in_use_ += run.count;
  most_in_use_ = std::max(most_in_use_, in_use_);
  if (run.first < blocks_) {
    if (!taken_.empty() && taken_.back().first + taken_.back().count == run.first) {
      taken_.back().count += run.count;
    } else {
      taken_.push_back(run);
    }
  }
  return run;
}

void BlockCursor::give_back(BlockRun run) {
  in_use_ -= run.count;
  if (run.first < blocks_) {
    returned_.push_back(run);
  }
}

void BlockCursor::commit() {
  for (const BlockRun& run : taken_) {
    ext2fs_block_alloc_stats_range(fs_, run.first, static_cast<blk_t>(run.count), +1);
  }
  for (const BlockRun& run : returned_) {
    ext2fs_block_alloc_stats_range(fs_, run.first, static_cast<blk_t>(run.count), -1);
  }
  taken_.clear();
  returned_.clear();
}

}  // namespace domsmith::extfs
