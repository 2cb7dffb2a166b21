// Makes a new ext4, the way misc/mke2fs.c of e2fsprogs does, on a target that reads as zeroes: tables and journal are
// complete without being written.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/text.h"
#include "imagebuild/extfs/block_io.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::extfs {
namespace {

constexpr unsigned block_bytes = 4096;
constexpr std::uint64_t smallest = 1U << 20;
constexpr unsigned growth = 8;               // times the size that on-line resizing can reach without moving a block
constexpr std::uint64_t most_reserved = 64;  // blocks, each good for 8 GiB

// mke2fs's features of Debian 12, with the checksum seed kept apart from the UUID.
void set_features(struct ext2_super_block& super) {
  super.s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_DIR_INDEX |
                           EXT2_FEATURE_COMPAT_RESIZE_INODE | EXT3_FEATURE_COMPAT_HAS_JOURNAL;
  super.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
                             EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG |
                             EXT4_FEATURE_INCOMPAT_CSUM_SEED;
  super.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
                              EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
                              EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
}

// Blocks kept for group descriptors of a file system that grows. mke2fs keeps enough for 1024 times the size, and each
// is written; the kernel can go further without them (meta_bg).
unsigned reserved_descriptor_blocks(std::uint64_t blocks) {
  const std::uint64_t per_descriptor_block = std::uint64_t{block_bytes} / EXT2_MIN_DESC_SIZE_64BIT * block_bytes * 8;
  const std::uint64_t now = blocks_of(blocks, per_descriptor_block);
  const std::uint64_t later = blocks_of(std::min<std::uint64_t>(blocks * growth, 1ULL << 32), per_descriptor_block);
  return static_cast<unsigned>(std::clamp<std::uint64_t>(later > now ? later - now : 1, 1, most_reserved));
}

struct ext2_super_block parameters(std::uint64_t size, std::uint32_t inode_ratio) {
  struct ext2_super_block super = {};
  const std::uint64_t blocks = size / block_bytes;
  ext2fs_blocks_count_set(&super, blocks);
  ext2fs_r_blocks_count_set(&super, blocks / 20);
  set_features(super);
  super.s_rev_level = EXT2_DYNAMIC_REV;
  super.s_log_block_size = 2;
  super.s_log_cluster_size = 2;
  super.s_inode_size = 256;
  super.s_log_groups_per_flex = 2;  // so that a clone's bitmaps and first inodes lie beside the superblock
  super.s_inodes_count =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(size / std::max(inode_ratio, 1024U), 16, ~0U - 1U));
  super.s_reserved_gdt_blocks = static_cast<std::uint16_t>(reserved_descriptor_blocks(blocks));
  super.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
  return super;
}

void name_it(ext2_filsys fs, const FormatOptions& options) {
  auto& super = *fs->super;
  fs->now = std::max<std::int64_t>(options.time ? *options.time : std::time(nullptr), 1);
  super.s_mkfs_time = super.s_lastcheck = static_cast<std::uint32_t>(fs->now);
  const Uuid uuid = options.uuid ? *options.uuid : random_uuid();
  const Uuid seed = options.hash_seed ? *options.hash_seed : random_uuid();
  std::memcpy(super.s_uuid, uuid.data(), uuid.size());
  std::memcpy(super.s_hash_seed, seed.data(), seed.size());
  super.s_checksum_seed = ext2fs_crc32c_le(~0U, super.s_uuid, sizeof super.s_uuid);
  super.s_checksum_type = EXT2_CRC32C_CHKSUM;
  super.s_def_hash_version = EXT2_HASH_HALF_MD4;
  super.s_max_mnt_count = -1;
  super.s_kbytes_written = 1;
  std::memcpy(super.s_volume_name, options.label.data(), options.label.size());
  ext2fs_init_csum_seed(fs);
}

// The target reads as zeroes, so every inode table is zeroed already.
void mark_tables_zeroed(ext2_filsys fs) {
  for (dgrp_t group = 0; group < fs->group_desc_count; ++group) {
    ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
    ext2fs_group_desc_csum_set(fs, group);
  }
}

// Even unused, the inodes below 11 carry a checksum.
Result<void> write_reserved_inodes(ext2_filsys fs) {
  struct ext2_inode_large empty = {};
  static_assert(sizeof empty <= 256);
  std::array<std::byte, 256> bytes{};
  std::memcpy(bytes.data(), &empty, sizeof empty);
  for (ext2_ino_t inode = 1; inode < EXT2_FIRST_INO(fs->super); ++inode) {
    TRY(ext2_check(fs, ext2fs_write_inode_full(fs, inode, reinterpret_cast<struct ext2_inode*>(bytes.data()), 256),
                   "cannot write the reserved inodes"));
  }
  return {};
}

Result<void> make_directories(ext2_filsys fs) {
  fs->umask = 022;
  TRY(ext2_check(fs, ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr), "cannot make the root directory"));
  fs->umask = 077;
  TRY(ext2_check(fs, ext2fs_mkdir(fs, EXT2_ROOT_INO, 0, "lost+found"), "cannot make lost+found"));
  ext2_ino_t found = 0;
  TRY(ext2_check(fs, ext2fs_lookup(fs, EXT2_ROOT_INO, "lost+found", 10, nullptr, &found), "cannot make lost+found"));
  for (int block = 1; block < 4; ++block) {  // e2fsck must not need to allocate there
    TRY(ext2_check(fs, ext2fs_expand_dir(fs, found), "cannot make lost+found"));
  }
  for (ext2_ino_t inode = EXT2_ROOT_INO + 1; inode < EXT2_FIRST_INODE(fs->super); ++inode) {
    ext2fs_inode_alloc_stats2(fs, inode, +1, 0);
  }
  ext2fs_mark_inode_bitmap2(fs->inode_map, EXT2_BAD_INO);
  ext2fs_inode_alloc_stats2(fs, EXT2_BAD_INO, +1, 0);
  return ext2_check(fs, ext2fs_update_bb_inode(fs, nullptr), "cannot write the list of bad blocks");
}

// Right behind the metadata, so that what is written lies together.
Result<std::uint64_t> make_journal(ext2_filsys fs) {
  struct ext2fs_journal_params journal = {};
  if (ext2fs_get_journal_params(&journal, fs) != 0) {
    ext2fs_clear_feature_journal(fs->super);  // below 8 MiB, as mke2fs
    return 0;
  }
  TRY(ext2_check(fs, ext2fs_add_journal_inode3(fs, &journal, 0, EXT2_MKJOURNAL_LAZYINIT), "cannot make the journal"));
  return journal.num_journal_blocks;
}

Result<void> populate(ext2_filsys fs) {
  TRY(ext2_check(fs, ext2fs_allocate_tables(fs), "cannot place the inode tables"));
  blk64_t overhead = 0;
  TRY(ext2_check(fs, ext2fs_count_used_clusters(fs, 0, ext2fs_blocks_count(fs->super) - 1, &overhead),
                 "cannot count the blocks"));
  mark_tables_zeroed(fs);
  TRY(write_reserved_inodes(fs));
  TRY(make_directories(fs));
  TRY(ext2_check(fs, ext2fs_create_resize_inode(fs), "cannot reserve blocks for growing"));
  overhead += TRY(make_journal(fs));
  fs->super->s_overhead_clusters = static_cast<std::uint32_t>(overhead);
  return {};
}

Result<std::uint64_t> checked_size(const BlockTarget& target, const FormatOptions& options) {
  const std::uint64_t size = options.size == 0 ? target.size() : options.size;
  if (size > target.size()) {
    return fail(ErrorCode::bad_input, fmt::format("a file system of {} does not fit into {} of {}", size_text(size),
                                                  target.name(), size_text(target.size())));
  }
  if (size < smallest) {
    return fail(ErrorCode::no_space, fmt::format("{} is too small for a file system", size_text(size)),
                fmt::format("make it {} or more", size_text(smallest)));
  }
  if (options.label.size() > EXT2_LABEL_LEN) {
    return fail(ErrorCode::bad_input,
                fmt::format("the label '{}' is longer than {} bytes", options.label, EXT2_LABEL_LEN),
                "choose a shorter label");
  }
  return size;
}

}  // namespace

Result<FileSystem> FileSystem::format(BlockTarget& target, const FormatOptions& options) {
  const std::uint64_t size = TRY(checked_size(target, options));
  if (!options.target_reads_zero) {
    TRY_AS(target.discard(0, target.size()), fmt::format("cannot wipe {}", target.name()));
  }
  struct ext2_super_block wanted = parameters(size, options.inode_ratio);
  ext2_filsys fs = nullptr;
  {
    const BlockIo::Opening opening(target);
    TRY(ext2_check(
        nullptr, ext2fs_initialize("target", EXT2_FLAG_EXCLUSIVE | EXT2_FLAG_64BITS, &wanted, BlockIo::manager(), &fs),
        "cannot set up a file system"));
  }
  FileSystem made(Handle(fs), target);
  made.inode_ratio_ = std::max(options.inode_ratio, 1024U);
  name_it(fs, options);
  TRY_AS(populate(fs), fmt::format("cannot format {} of {}", target.name(), size_text(size)));
  return made;
}

}  // namespace domsmith::extfs
