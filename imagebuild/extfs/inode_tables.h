// Writes the inodes of a tree into the tables of a fresh file system, and accounts for them in its groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/block_stream.h"
#include "imagebuild/extfs/inode.h"

namespace domsmith::extfs {

class InodeTables {
 public:
  InodeTables(ext2_filsys fs, BlockTarget& target);

  // In rising order of `inode`. Inodes that the tables have no place for are left out.
  Result<void> put(ext2_ino_t inode, EntryType type, const std::array<std::byte, inode_bytes>& bytes);
  Result<void> finish();  // the last block, the bitmap, the groups

  [[nodiscard]] std::uint64_t bytes_written() const { return stream_.bytes_written(); }

 private:
  struct Group {
    std::uint32_t used = 0;
    std::uint32_t directories = 0;
    std::uint32_t highest = 0;  // place in the group of the highest inode in use, from 1
  };
  Result<void> load(std::uint64_t block);
  Result<void> store();
  void account(ext2_ino_t inode, EntryType type);

  ext2_filsys fs_;
  BlockTarget* target_;
  BlockStream stream_;
  std::vector<Group> groups_;
  std::vector<std::byte> bytes_;  // of the block being filled
  std::uint64_t block_ = 0;       // its number; 0: none yet
};

}  // namespace domsmith::extfs
