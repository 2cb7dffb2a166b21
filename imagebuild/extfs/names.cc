// Names in directories on the target (node.h).
#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "imagebuild/extfs/directory.h"
#include "imagebuild/extfs/inode.h"
#include "imagebuild/extfs/lookup.h"
#include "imagebuild/extfs/node.h"

namespace domsmith::extfs {
namespace {

struct OldName {
  std::string name;
  ext2_ino_t inode = 0;
  std::uint8_t type = 0;
};

struct Listing {
  ext2_ino_t parent = 0;
  std::vector<OldName> names;
};

int collect(ext2_ino_t /*directory*/, int entry, struct ext2_dir_entry* item, int /*offset*/, int /*block_size*/,
            char* /*buffer*/, void* listing) {
  auto* into = static_cast<Listing*>(listing);
  if (entry == DIRENT_DOT_DOT_FILE) {
    into->parent = item->inode;
  } else if (entry == DIRENT_OTHER_FILE) {
    into->names.push_back({.name = std::string(item->name, static_cast<std::size_t>(ext2fs_dirent_name_len(item))),
                           .inode = item->inode,
                           .type = static_cast<std::uint8_t>(ext2fs_dirent_file_type(item))});
  }
  return 0;
}

struct Redirection {
  const std::string* name;
  ext2_ino_t inode;
  std::uint8_t type;
  bool done;
};

int redirect(ext2_ino_t /*directory*/, int entry, struct ext2_dir_entry* item, int /*offset*/, int /*block_size*/,
             char* /*buffer*/, void* wanted) {
  auto* to = static_cast<Redirection*>(wanted);
  const std::string_view name(item->name, static_cast<std::size_t>(ext2fs_dirent_name_len(item)));
  if (entry != DIRENT_OTHER_FILE || name != *to->name) {
    return 0;
  }
  item->inode = to->inode;
  ext2fs_dirent_set_file_type(item, to->type);
  to->done = true;
  return DIRENT_CHANGED | DIRENT_ABORT;
}

int see_any(ext2_ino_t /*directory*/, int entry, struct ext2_dir_entry* /*item*/, int /*offset*/, int /*block_size*/,
            char* /*buffer*/, void* seen) {
  if (entry != DIRENT_OTHER_FILE) {
    return 0;
  }
  *static_cast<bool*>(seen) = true;
  return DIRENT_ABORT;
}

// build_directory() makes blocks with checksum tails and plain names.
bool can_rebuild(ext2_filsys fs, const struct ext2_inode_large& directory) {
  constexpr std::uint32_t special = EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL | EXT2_INDEX_FL;
  return ext2fs_has_feature_metadata_csum(fs->super) && ext2fs_has_feature_dir_index(fs->super) &&
         ext2fs_has_feature_filetype(fs->super) && (directory.i_flags & special) == 0;
}

Result<void> write_directory(ext2_filsys fs, ext2_ino_t directory, const std::vector<std::byte>& bytes) {
  const std::uint64_t blocks = bytes.size() / fs->blocksize;
  auto inode = TRY(read_inode(fs, directory));
  for (std::uint64_t have = EXT2_I_SIZE(&inode) / fs->blocksize; have < blocks; ++have) {
    TRY(ext2_check(fs, ext2fs_expand_dir(fs, directory), "cannot make the directory larger"));
  }
  for (std::uint64_t number = 0; number < blocks; ++number) {
    blk64_t physical = 0;
    TRY(ext2_check(fs, ext2fs_bmap2(fs, directory, nullptr, nullptr, 0, number, nullptr, &physical),
                   "cannot find a directory block"));
    if (physical == 0) {
      return fail(ErrorCode::failed, "the directory has a hole", "check the file system with e2fsck");
    }
    TRY(ext2_check(fs, io_channel_write_blk64(fs->io, physical, 1, bytes.data() + number * fs->blocksize),
                   "cannot write a directory block"));
  }
  return {};
}

// The directory's names and one more, as a hash tree.
Result<void> rebuild(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode,
                     std::uint8_t type) {
  Listing listing;
  TRY(ext2_check(fs, ext2fs_dir_iterate2(fs, directory, 0, nullptr, collect, &listing), "cannot read the directory"));
  listing.names.push_back({.name = name, .inode = inode, .type = type});
  std::vector<NamedInode> entries;
  entries.reserve(listing.names.size());
  for (const OldName& each : listing.names) {
    entries.push_back({.name = each.name, .inode = each.inode, .type = each.type});
  }
  const auto before = TRY(read_inode(fs, directory));
  const std::uint64_t old_blocks = EXT2_I_SIZE(&before) / fs->blocksize;
  const auto made = TRY(build_directory(
      fs, {.self = directory, .parent = listing.parent, .generation = before.i_generation}, entries, old_blocks));
  if (made.bytes.size() / fs->blocksize < old_blocks) {  // the old list was longer: names were removed from it
    return ext2_check(fs, ext2fs_expand_dir(fs, directory), "cannot make the directory larger");
  }
  TRY(write_directory(fs, directory, made.bytes));
  auto after = TRY(read_inode(fs, directory));
  after.i_flags |= made.indexed ? EXT2_INDEX_FL : 0U;
  return ext2_check(fs, ext2fs_write_inode_full(fs, directory, EXT2_INODE(&after), sizeof after),
                    "cannot write the directory's inode");
}

}  // namespace

Result<void> add_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode,
                      std::uint8_t type) {
  const errcode_t code = ext2fs_link(fs, directory, name.c_str(), inode, type);
  if (code != EXT2_ET_DIR_NO_SPACE) {
    return ext2_check(fs, code, "cannot add the name to its directory");
  }
  const auto parent = TRY(read_inode(fs, directory));
  if (can_rebuild(fs, parent)) {
    const std::uint64_t size = EXT2_I_SIZE(&parent);
    TRY(rebuild(fs, directory, name, inode, type));
    const auto now = TRY(read_inode(fs, directory));
    if ((now.i_flags & EXT2_INDEX_FL) != 0 || EXT2_I_SIZE(&now) == size) {
      return {};
    }
  } else {
    TRY(ext2_check(fs, ext2fs_expand_dir(fs, directory), "cannot make the directory larger"));
  }
  return ext2_check(fs, ext2fs_link(fs, directory, name.c_str(), inode, type), "cannot add the name to its directory");
}

Result<void> redirect_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode,
                           std::uint8_t type) {
  Redirection to{.name = &name, .inode = inode, .type = type, .done = false};
  TRY(ext2_check(fs, ext2fs_dir_iterate2(fs, directory, 0, nullptr, redirect, &to), "cannot change the directory"));
  return to.done ? Result<void>() : fail(ErrorCode::failed, fmt::format("'{}' vanished from its directory", name));
}

Result<void> change_links(ext2_filsys fs, ext2_ino_t number, int by) {
  auto inode = TRY(read_inode(fs, number));
  if (inode.i_links_count > 1 || by > 0) {  // 1: too many to count (dir_nlink)
    inode.i_links_count = static_cast<__u16>(inode.i_links_count + by);
  }
  return ext2_check(fs, ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "cannot write an inode");
}

Result<void> remove_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode) {
  const auto node = TRY(read_inode(fs, inode));
  const bool is_directory = LINUX_S_ISDIR(node.i_mode);
  if (is_directory) {
    bool seen = false;
    TRY(ext2_check(fs, ext2fs_dir_iterate2(fs, inode, 0, nullptr, see_any, &seen), "cannot read the directory"));
    if (seen) {
      return fail(ErrorCode::failed, "the directory is not empty");
    }
  }
  TRY(ext2_check(fs, ext2fs_unlink(fs, directory, name.c_str(), inode, 0), "cannot take the name from its directory"));
  if (is_directory) {
    TRY(change_links(fs, directory, -1));
  }
  return drop_link(fs, inode);
}

}  // namespace domsmith::extfs
