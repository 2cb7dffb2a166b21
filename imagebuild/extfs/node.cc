#include "imagebuild/extfs/node.h"

#include <cstring>
#include <ctime>
#include <memory>

#include "imagebuild/extfs/attributes.h"
#include "imagebuild/extfs/content.h"
#include "imagebuild/extfs/inode.h"
#include "imagebuild/extfs/lookup.h"

namespace domsmith::extfs {
namespace {

std::int64_t now(ext2_filsys fs) { return fs->now != 0 ? fs->now : std::time(nullptr); }

struct ext2_inode_large blank(ext2_filsys fs, EntryType type, const Attributes& attributes) {
  struct ext2_inode_large inode = {};
  inode.i_mode = mode_bits(type, attributes.mode);
  inode.i_uid = static_cast<__u16>(attributes.uid);
  inode.i_uid_high = static_cast<__u16>(attributes.uid >> 16);
  inode.i_gid = static_cast<__u16>(attributes.gid);
  inode.i_gid_high = static_cast<__u16>(attributes.gid >> 16);
  inode.i_links_count = 1;
  const DiskTime made = disk_time({.seconds = now(fs)});
  const DiskTime mtime = attributes.mtime ? disk_time(*attributes.mtime) : made;
  inode.i_mtime = inode.i_atime = mtime.seconds;
  inode.i_ctime = inode.i_crtime = made.seconds;
  if (EXT2_INODE_SIZE(fs->super) > EXT2_GOOD_OLD_INODE_SIZE) {
    inode.i_extra_isize = sizeof inode - EXT2_GOOD_OLD_INODE_SIZE;
    inode.i_mtime_extra = inode.i_atime_extra = mtime.extra;
    inode.i_ctime_extra = inode.i_crtime_extra = made.extra;
  }
  return inode;
}

Result<void> write_attributes(ext2_filsys fs, ext2_ino_t number, const AttributeMap& attributes) {
  if (attributes.empty()) {
    return {};
  }
  struct ext2_xattr_handle* raw = nullptr;
  TRY(ext2_check(fs, ext2fs_xattrs_open(fs, number, &raw), "cannot write attributes"));
  const auto close = [](struct ext2_xattr_handle* handle) { ext2fs_xattrs_close(&handle); };
  const std::unique_ptr<struct ext2_xattr_handle, decltype(close)> handle(raw, close);
  unsigned flags = XATTR_HANDLE_FLAG_RAW;
  ext2fs_xattrs_flags(handle.get(), &flags, nullptr);
  for (const auto& [name, value] : attributes) {
    const bool is_acl = name.starts_with("system.posix_acl_");
    const std::string disk = is_acl ? TRY(acl_to_disk(value)) : value;
    TRY(ext2_check(fs, ext2fs_xattr_set(handle.get(), name.c_str(), disk.data(), disk.size()),
                   "cannot write attributes"));
  }
  return {};
}

struct Freed {
  std::uint64_t left;  // blocks that may still come: a damaged tree could go on for ever
};

int free_block(ext2_filsys fs, blk64_t* block, e2_blkcnt_t /*count*/, blk64_t /*reference*/, int /*offset*/,
               void* freed) {
  if (static_cast<Freed*>(freed)->left-- == 0) {
    return BLOCK_ABORT;
  }
  if (*block >= fs->super->s_first_data_block && *block < ext2fs_blocks_count(fs->super) &&
      ext2fs_test_block_bitmap2(fs->block_map, *block) != 0) {
    ext2fs_block_alloc_stats2(fs, *block, -1);
  }
  return 0;
}

// ext2fs_punch() would do, did it not refuse a file that has the last block of the file system (punch_extent_blocks()
// of e2fsprogs 1.47.0 compares with >=).
Result<void> free_blocks(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode) {
  Freed freed{.left = ext2fs_blocks_count(fs->super)};
  TRY(ext2_check(fs, ext2fs_block_iterate3(fs, number, BLOCK_FLAG_READ_ONLY, nullptr, free_block, &freed),
                 "cannot free blocks"));
  std::memset(inode.i_block, 0, sizeof inode.i_block);
  inode.i_size = 0;
  inode.i_size_high = 0;
  return ext2_check(fs, ext2fs_iblk_set(fs, EXT2_INODE(&inode), 0), "cannot free blocks");
}

Result<ext2_ino_t> new_inode(ext2_filsys fs, ext2_ino_t near, EntryType type) {
  ext2_ino_t number = 0;
  TRY(ext2_check(fs, ext2fs_new_inode(fs, near, mode_bits(type, 0), nullptr, &number), "no inode is free"));
  return number;
}

// Gives back what a half-made file has taken.
template <class Make>
Result<ext2_ino_t> make(ext2_filsys fs, ext2_ino_t near, EntryType type, Make&& fill) {
  const ext2_ino_t number = TRY(new_inode(fs, near, type));
  ext2fs_inode_alloc_stats2(fs, number, +1, 0);
  TRY(write_inode(fs, number, blank(fs, type, {})));  // so that whatever fails from here on can be undone
  if (Result<void> made = fill(number); !made) {
    TRY(drop_link(fs, number));
    return std::unexpected(std::move(made).error());
  }
  return number;
}

}  // namespace

Result<ext2_ino_t> make_file(ext2_filsys fs, ext2_ino_t near, std::string_view bytes, const Attributes& attributes) {
  return make(fs, near, EntryType::regular, [&](ext2_ino_t number) -> Result<void> {
    auto inode = blank(fs, EntryType::regular, attributes);
    TRY(put_content(fs, number, inode, bytes));
    TRY(write_inode(fs, number, inode));
    return write_attributes(fs, number, attributes.xattrs);
  });
}

Result<ext2_ino_t> make_symlink(ext2_filsys fs, ext2_ino_t near, std::string_view target,
                                const Attributes& attributes) {
  return make(fs, near, EntryType::symlink, [&](ext2_ino_t number) -> Result<void> {
    auto inode = blank(fs, EntryType::symlink, attributes);
    if (target.size() < sizeof inode.i_block) {
      std::memcpy(inode.i_block, target.data(), target.size());
      inode.i_size = static_cast<__u32>(target.size());
    } else {
      TRY(put_content(fs, number, inode, target));
    }
    TRY(write_inode(fs, number, inode));
    return write_attributes(fs, number, attributes.xattrs);
  });
}

Result<ext2_ino_t> make_directory(ext2_filsys fs, ext2_ino_t parent, const Attributes& attributes) {
  const ext2_ino_t number = TRY(new_inode(fs, parent, EntryType::directory));
  TRY(ext2_check(fs, ext2fs_mkdir(fs, parent, number, nullptr), "cannot make a directory"));
  auto made = TRY(read_inode(fs, number));
  auto wanted = blank(fs, EntryType::directory, attributes);
  wanted.i_links_count = made.i_links_count;
  wanted.i_size = made.i_size;
  wanted.i_blocks = made.i_blocks;
  wanted.i_flags = made.i_flags;
  wanted.i_generation = made.i_generation;
  std::memcpy(wanted.i_block, made.i_block, sizeof wanted.i_block);
  TRY(write_inode(fs, number, wanted));
  TRY(write_attributes(fs, number, attributes.xattrs));
  return number;
}

Result<void> drop_link(ext2_filsys fs, ext2_ino_t number) {
  auto inode = TRY(read_inode(fs, number));
  const bool is_directory = LINUX_S_ISDIR(inode.i_mode);
  if (!is_directory && inode.i_links_count > 1) {
    --inode.i_links_count;
    return ext2_check(fs, ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode),
                      "cannot write an inode");
  }
  TRY(ext2_check(fs, ext2fs_free_ext_attr(fs, number, &inode), "cannot free attributes"));
  if (ext2fs_inode_has_valid_blocks2(fs, EXT2_INODE(&inode)) != 0 && (inode.i_flags & EXT4_INLINE_DATA_FL) == 0) {
    TRY(free_blocks(fs, number, inode));
  }
  inode.i_links_count = 0;
  inode.i_dtime = static_cast<__u32>(now(fs));
  TRY(ext2_check(fs, ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "cannot write an inode"));
  ext2fs_inode_alloc_stats2(fs, number, -1, is_directory ? 1 : 0);
  return {};
}

}  // namespace domsmith::extfs
