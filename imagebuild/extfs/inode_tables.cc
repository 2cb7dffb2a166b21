#include "imagebuild/extfs/inode_tables.h"

#include <algorithm>
#include <cstring>

namespace domsmith::extfs {

InodeTables::InodeTables(ext2_filsys fs, BlockTarget& target)
    : fs_(fs),
      target_(&target),
      stream_(target, ext2fs_blocks_count(fs->super) * fs->blocksize),
      groups_(fs->group_desc_count),
      bytes_(fs->blocksize) {}

// The first block holds the reserved inodes beside ours; the others read as zeroes.
Result<void> InodeTables::load(std::uint64_t block) {
  block_ = block;
  if (block == ext2fs_inode_table_loc(fs_, 0)) {
    return target_->read(block * fs_->blocksize, bytes_);
  }
  std::ranges::fill(bytes_, std::byte{});
  return {};
}

Result<void> InodeTables::store() {
  return block_ == 0 ? Result<void>() : stream_.write(block_ * fs_->blocksize, bytes_);
}

void InodeTables::account(ext2_ino_t inode, EntryType type) {
  if (inode < EXT2_FIRST_INO(fs_->super) || inode == EXT2_GOOD_OLD_FIRST_INO) {
    return;  // format() has counted them
  }
  Group& group = groups_[(inode - 1) / EXT2_INODES_PER_GROUP(fs_->super)];
  ++group.used;
  group.directories += type == EntryType::directory ? 1 : 0;
  group.highest = std::max(group.highest, (inode - 1) % EXT2_INODES_PER_GROUP(fs_->super) + 1);
  ext2fs_mark_inode_bitmap2(fs_->inode_map, inode);
}

Result<void> InodeTables::put(ext2_ino_t inode, EntryType type, const std::array<std::byte, inode_bytes>& bytes) {
  if (inode > fs_->super->s_inodes_count) {
    return {};
  }
  const std::uint32_t per_group = EXT2_INODES_PER_GROUP(fs_->super);
  const std::uint64_t offset = std::uint64_t{(inode - 1) % per_group} * inode_bytes;
  const std::uint64_t block = ext2fs_inode_table_loc(fs_, (inode - 1) / per_group) + offset / fs_->blocksize;
  if (block != block_) {
    TRY(store());
    TRY(load(block));
  }
  std::memcpy(bytes_.data() + offset % fs_->blocksize, bytes.data(), bytes.size());
  account(inode, type);
  return {};
}

Result<void> InodeTables::finish() {
  TRY(store());
  TRY(stream_.flush());
  std::uint32_t used = 0;
  for (dgrp_t number = 0; number < fs_->group_desc_count; ++number) {
    const Group& group = groups_[number];
    if (group.used == 0) {
      continue;
    }
    used += group.used;
    ext2fs_bg_free_inodes_count_set(fs_, number, ext2fs_bg_free_inodes_count(fs_, number) - group.used);
    ext2fs_bg_used_dirs_count_set(fs_, number, ext2fs_bg_used_dirs_count(fs_, number) + group.directories);
    ext2fs_bg_itable_unused_set(
        fs_, number, std::min(ext2fs_bg_itable_unused(fs_, number), EXT2_INODES_PER_GROUP(fs_->super) - group.highest));
    ext2fs_bg_flags_clear(fs_, number, EXT2_BG_INODE_UNINIT);
    ext2fs_group_desc_csum_set(fs_, number);
  }
  fs_->super->s_free_inodes_count -= used;
  ext2fs_mark_ib_dirty(fs_);
  ext2fs_mark_super_dirty(fs_);
  return {};
}

}  // namespace domsmith::extfs
