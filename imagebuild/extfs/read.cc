// FileSystem: what reads and changes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "imagebuild/extfs/attributes.h"
#include "imagebuild/extfs/inode.h"
#include "imagebuild/extfs/lookup.h"

namespace domsmith::extfs {
namespace {

std::string cannot(const char* what, std::string_view path) {
  return fmt::format("cannot {} '{}' in the image", what, path);
}

NodeInfo describe(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode) {
  NodeInfo info;
  info.inode = number;
  info.type = type_of_mode(inode.i_mode);
  info.mode = inode.i_mode & 07777U;
  info.uid = inode_uid(inode);
  info.gid = inode_gid(inode);
  info.links = inode.i_links_count;
  info.size = EXT2_I_SIZE(&inode);
  info.allocated = ext2fs_get_stat_i_blocks(fs, EXT2_INODE(&inode)) * 512;
  const bool has_extra =
      inode.i_extra_isize >= offsetof(struct ext2_inode_large, i_atime_extra) - EXT2_GOOD_OLD_INODE_SIZE;
  info.mtime = shown_time({.seconds = inode.i_mtime, .extra = has_extra ? inode.i_mtime_extra : 0});
  if (info.type == EntryType::character_device || info.type == EntryType::block_device) {
    if (inode.i_block[0] != 0) {
      info.device_major = inode.i_block[0] >> 8 & 0xff;
      info.device_minor = inode.i_block[0] & 0xff;
    } else {
      info.device_major = inode.i_block[1] >> 8 & 0xfff;
      info.device_minor = (inode.i_block[1] & 0xff) | (inode.i_block[1] >> 12 & 0xfff00);
    }
  }
  return info;
}

int collect_item(ext2_ino_t /*directory*/, int entry, struct ext2_dir_entry* item, int /*offset*/, int /*block_size*/,
                 char* /*buffer*/, void* items) {
  if (entry == DIRENT_OTHER_FILE) {
    static_cast<std::vector<DirectoryItem>*>(items)->push_back(
        {.name = std::string(item->name, static_cast<std::size_t>(ext2fs_dirent_name_len(item))),
         .type = type_of_directory_type(static_cast<unsigned>(ext2fs_dirent_file_type(item))),
         .inode = item->inode});
  }
  return 0;
}

int collect_attribute(char* name, char* value, std::size_t length, void* attributes) {
  static_cast<AttributeMap*>(attributes)->insert_or_assign(name, std::string(value, length));
  return 0;
}

}  // namespace

Result<NodeInfo> FileSystem::stat(std::string_view path, Follow follow) {
  const std::string failed = cannot("look at", path);
  const ext2_ino_t number = TRY_AS(look_up_existing(fs_.get(), path, follow), failed);
  auto inode = TRY_AS(read_inode(fs_.get(), number), failed);
  return describe(fs_.get(), number, inode);
}

Result<bool> FileSystem::exists(std::string_view path, Follow follow) {
  const auto found = look_up_existing(fs_.get(), path, follow);
  if (found) {
    return true;
  }
  if (found.error().code == ErrorCode::not_found) {
    return false;
  }
  return wrap(found.error(), cannot("look for", path));
}

Result<std::string> FileSystem::read_file(std::string_view path, std::uint64_t max_bytes) {
  const std::string failed = cannot("read", path);
  const ext2_ino_t number = TRY_AS(look_up_existing(fs_.get(), path, Follow::yes), failed);
  const auto inode = TRY_AS(read_inode(fs_.get(), number), failed);
  if (!LINUX_S_ISREG(inode.i_mode)) {
    return fail(ErrorCode::failed, fmt::format("'{}' in the image is no regular file", path));
  }
  return TRY_AS(read_content(fs_.get(), number, max_bytes), failed);
}

Result<std::string> FileSystem::read_link(std::string_view path) {
  const std::string failed = cannot("read the link", path);
  const ext2_ino_t number = TRY_AS(look_up_existing(fs_.get(), path, Follow::no), failed);
  const auto inode = TRY_AS(read_inode(fs_.get(), number), failed);
  if (!LINUX_S_ISLNK(inode.i_mode)) {
    return fail(ErrorCode::failed, fmt::format("'{}' in the image is no symbolic link", path));
  }
  return TRY_AS(read_symlink(fs_.get(), number), failed);
}

Result<std::vector<DirectoryItem>> FileSystem::list(std::string_view path) {
  const std::string failed = cannot("list", path);
  const ext2_ino_t number = TRY_AS(look_up_existing(fs_.get(), path, Follow::yes), failed);
  const auto inode = TRY_AS(read_inode(fs_.get(), number), failed);
  if (!LINUX_S_ISDIR(inode.i_mode)) {
    return fail(ErrorCode::failed, fmt::format("'{}' in the image is no directory", path));
  }
  std::vector<DirectoryItem> items;
  TRY(ext2_check(fs_.get(), ext2fs_dir_iterate2(fs_.get(), number, 0, nullptr, collect_item, &items), failed.c_str()));
  std::ranges::sort(items, {}, &DirectoryItem::name);
  return items;
}

Result<AttributeMap> FileSystem::xattrs(std::string_view path, Follow follow) {
  const std::string failed = cannot("read the attributes of", path);
  const ext2_ino_t number = TRY_AS(look_up_existing(fs_.get(), path, follow), failed);
  struct ext2_xattr_handle* raw = nullptr;
  TRY(ext2_check(fs_.get(), ext2fs_xattrs_open(fs_.get(), number, &raw), failed.c_str()));
  const auto close = [](struct ext2_xattr_handle* handle) { ext2fs_xattrs_close(&handle); };
  const std::unique_ptr<struct ext2_xattr_handle, decltype(close)> handle(raw, close);
  AttributeMap attributes;
  TRY(ext2_check(fs_.get(), ext2fs_xattrs_read(handle.get()), failed.c_str()));
  TRY(ext2_check(fs_.get(), ext2fs_xattrs_iterate(handle.get(), collect_attribute, &attributes), failed.c_str()));
  for (const char* acl : {"system.posix_acl_access", "system.posix_acl_default"}) {
    if (const auto found = attributes.find(acl); found != attributes.end()) {
      found->second = TRY_AS(acl_from_disk(found->second), failed);
    }
  }
  return attributes;
}

}  // namespace domsmith::extfs
