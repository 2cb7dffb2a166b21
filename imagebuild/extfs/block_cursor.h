// Hands out free blocks of a fresh file system in rising order, so that whatever is written lies in one piece.
//
// When the file system is full it goes on with blocks behind the end, which exist only as numbers: what is being
// planned can be counted to its end.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

struct BlockRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

class BlockCursor {
 public:
  explicit BlockCursor(ext2_filsys fs);

  // Between one block and `at_most` of them.
  BlockRun take(std::uint64_t at_most);
  // To be taken again when nothing else is free.
  void give_back(BlockRun run);
  // To be taken next.
  void put_back(BlockRun run);

  [[nodiscard]] bool overflowed() const { return beyond_ > blocks_; }
  [[nodiscard]] std::uint64_t most_in_use() const { return most_in_use_; }  // blocks, at any one time
  // Marks in the bitmap and in the groups what is taken and was not given back.
  void commit();

 private:
  BlockRun next_run(std::uint64_t at_most);
  void advance();

  ext2_filsys fs_;
  std::uint64_t blocks_;           // of the file system
  BlockRun free_;                  // what is left of the free run under the cursor
  std::uint64_t searched_ = 0;     // blocks below are not looked at again
  std::uint64_t beyond_;           // the next number behind the end
  std::vector<BlockRun> next_;     // put back; the last is taken first
  std::vector<BlockRun> touched_;  // has been under the cursor: taken, unless it came back
  std::vector<BlockRun> returned_;
  std::uint64_t in_use_ = 0;
  std::uint64_t most_in_use_ = 0;
};

}  // namespace domsmith::extfs
