#include "imagebuild/extfs/block_cursor.h"

#include <algorithm>
#include <optional>

namespace domsmith::extfs {
namespace {

BlockRun cut(BlockRun& source, std::uint64_t at_most) {
  const BlockRun run{.first = source.first, .count = std::min(at_most, source.count)};
  source = {.first = source.first + run.count, .count = source.count - run.count};
  return run;
}

std::optional<BlockRun> cut_last(std::vector<BlockRun>& runs, std::uint64_t at_most) {
  if (runs.empty()) {
    return std::nullopt;
  }
  const BlockRun run = cut(runs.back(), at_most);
  if (runs.back().count == 0) {
    runs.pop_back();
  }
  return run;
}

}  // namespace

BlockCursor::BlockCursor(ext2_filsys fs)
    : fs_(fs), blocks_(ext2fs_blocks_count(fs->super)), searched_(fs->super->s_first_data_block), beyond_(blocks_) {}

// The next free run becomes what is under the cursor, if there is one.
void BlockCursor::advance() {
  blk64_t first = 0;
  if (searched_ >= blocks_ ||
      ext2fs_find_first_zero_block_bitmap2(fs_->block_map, searched_, blocks_ - 1, &first) != 0) {
    searched_ = blocks_;
    return;
  }
  blk64_t end = 0;
  if (ext2fs_find_first_set_block_bitmap2(fs_->block_map, first, blocks_ - 1, &end) != 0) {
    end = blocks_;
  }
  free_ = {.first = first, .count = end - first};
  searched_ = end;
}

BlockRun BlockCursor::next_run(std::uint64_t at_most) {
  if (const auto run = cut_last(next_, at_most)) {
    return *run;
  }
  if (free_.count == 0) {
    advance();
  }
  if (free_.count > 0) {
    const BlockRun run = cut(free_, at_most);
    if (!touched_.empty() && touched_.back().first + touched_.back().count == run.first) {
      touched_.back().count += run.count;
    } else {
      touched_.push_back(run);
    }
    return run;
  }
  if (const auto run = cut_last(returned_, at_most)) {
    return *run;
  }
  const BlockRun run{.first = beyond_, .count = at_most};
  beyond_ += at_most;
  return run;
}

BlockRun BlockCursor::take(std::uint64_t at_most) {
  const BlockRun run = next_run(at_most);
  in_use_ += run.count;
  most_in_use_ = std::max(most_in_use_, in_use_);
  return run;
}

void BlockCursor::give_back(BlockRun run) {
  in_use_ -= run.count;
  if (run.count > 0 && run.first < blocks_) {
    returned_.push_back(run);
  }
}

void BlockCursor::put_back(BlockRun run) {
  in_use_ -= run.count;
  if (run.count > 0) {
    next_.push_back(run);
  }
}

void BlockCursor::commit() {
  const auto account = [this](std::vector<BlockRun>& runs, int in_use) {
    for (const BlockRun& run : runs) {
      ext2fs_block_alloc_stats_range(fs_, run.first, static_cast<blk_t>(run.count), in_use);
    }
    runs.clear();
  };
  account(touched_, +1);
  account(returned_, -1);
  account(next_, -1);
}

}  // namespace domsmith::extfs
