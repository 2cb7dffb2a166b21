// FileSystem: what changes files and directories.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "imagebuild/extfs/inode.h"
#include "imagebuild/extfs/lookup.h"
#include "imagebuild/extfs/node.h"

namespace domsmith::extfs {
namespace {

Result<void> check_writable(ext2_filsys fs) {
  if ((fs->flags & EXT2_FLAG_RW) == 0) {
    return fail(ErrorCode::denied, "the file system is open for reading only");
  }
  return {};
}

// The place of a name that a write takes: never a directory, never behind a link in the last component.
Result<Found> place_for(ext2_filsys fs, std::string_view path) {
  TRY(check_writable(fs));
  Found found = TRY(look_up(fs, path, Follow::no));
  if (found.name.empty() || path.ends_with('/')) {
    return fail(ErrorCode::bad_input, "the path does not end in a name");
  }
  if (found.inode != 0 && LINUX_S_ISDIR(TRY(read_inode(fs, found.inode)).i_mode)) {
    return fail(ErrorCode::exists, "a directory has that name");
  }
  return found;
}

// Undoes the inode where its name finds no room.
Result<void> add_new_name(ext2_filsys fs, const Found& place, ext2_ino_t inode, std::uint8_t type) {
  Result<void> added = add_name(fs, place.parent, place.name, inode, type);
  if (!added) {
    TRY(drop_link(fs, inode));
    if (type == EXT2_FT_DIR) {
      TRY(change_links(fs, place.parent, -1));
    }
  }
  return added;
}

// The name leads to the new inode from now on; what it led to before is let go.
Result<void> put_in_place(ext2_filsys fs, const Found& place, ext2_ino_t inode, EntryType type) {
  if (place.inode == 0) {
    return add_new_name(fs, place, inode, directory_type(type));
  }
  TRY(redirect_name(fs, place.parent, place.name, inode, directory_type(type)));
  return drop_link(fs, place.inode);
}

Result<void> write_file_at(ext2_filsys fs, std::string_view path, std::string_view bytes,
                           const Attributes& attributes) {
  const Found place = TRY(place_for(fs, path));
  return put_in_place(fs, place, TRY(make_file(fs, place.parent, bytes, attributes)), EntryType::regular);
}

Result<void> symlink_at(ext2_filsys fs, std::string_view path, std::string_view target, const Attributes& attributes) {
  if (target.empty() || target.size() >= fs->blocksize || target.contains('\0')) {
    return fail(ErrorCode::bad_input, fmt::format("a link to a path of {} bytes is not possible", target.size()));
  }
  const Found place = TRY(place_for(fs, path));
  return put_in_place(fs, place, TRY(make_symlink(fs, place.parent, target, attributes)), EntryType::symlink);
}

// The longest part of the path, in whole components, that exists; its inode.
struct Existing {
  std::string_view part;
  ext2_ino_t inode = EXT2_ROOT_INO;
};
Result<Existing> longest_existing(ext2_filsys fs, std::string_view path) {
  while (!path.empty()) {
    const auto found = look_up_existing(fs, path, Follow::yes);
    if (found) {
      return Existing{.part = path, .inode = *found};
    }
    if (found.error().code != ErrorCode::not_found) {
      return std::unexpected(found.error());
    }
    const std::size_t slash = path.find_last_of('/');
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return Existing{};
}

Result<void> make_directories_at(ext2_filsys fs, std::string_view path, const Attributes& attributes) {
  TRY(check_writable(fs));
  const Existing existing = TRY(longest_existing(fs, path));
  ext2_ino_t at = existing.inode;
  if (!LINUX_S_ISDIR(TRY(read_inode(fs, at)).i_mode)) {
    return fail(ErrorCode::exists, fmt::format("'{}' is no directory", existing.part));
  }
  std::string_view rest = path.substr(existing.part.size());
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == "..") {
      return fail(ErrorCode::bad_input, "'..' stands behind a directory that does not exist");
    }
    const Found place = TRY(look_up_in(fs, at, std::string(name)));
    if (place.inode != 0) {
      return fail(ErrorCode::exists, fmt::format("'{}' is a link to nothing", name));
    }
    at = TRY(make_directory(fs, at, attributes));
    TRY(add_new_name(fs, place, at, EXT2_FT_DIR));
  }
  return {};
}

struct Level {
  ext2_ino_t parent = 0;
  std::string name;
  ext2_ino_t inode = 0;
  std::vector<DirectoryItem> items;  // still to be removed
};

int collect(ext2_ino_t /*directory*/, int entry, struct ext2_dir_entry* item, int /*offset*/, int /*block_size*/,
            char* /*buffer*/, void* items) {
  if (entry == DIRENT_OTHER_FILE) {
    static_cast<std::vector<DirectoryItem>*>(items)->push_back(
        {.name = std::string(item->name, static_cast<std::size_t>(ext2fs_dirent_name_len(item))),
         .type = EntryType::regular,
         .inode = item->inode});
  }
  return 0;
}

// Depth first, without recursion: a path may be as deep as the image is large.
Result<void> remove_tree_at(ext2_filsys fs, const Found& top) {
  std::vector<Level> levels;
  const auto enter = [&](ext2_ino_t parent, std::string name, ext2_ino_t inode) -> Result<void> {
    if (!LINUX_S_ISDIR(TRY(read_inode(fs, inode)).i_mode)) {
      return remove_name(fs, parent, name, inode);
    }
    if (std::ranges::find(levels, inode, &Level::inode) != levels.end()) {
      return fail(ErrorCode::failed, "a directory contains itself", "check the file system with e2fsck");
    }
    Level level{.parent = parent, .name = std::move(name), .inode = inode, .items = {}};
    TRY(ext2_check(fs, ext2fs_dir_iterate2(fs, inode, 0, nullptr, collect, &level.items), "cannot read a directory"));
    levels.push_back(std::move(level));
    return {};
  };
  TRY(enter(top.parent, top.name, top.inode));
  while (!levels.empty()) {
    if (levels.back().items.empty()) {
      const Level done = std::move(levels.back());
      levels.pop_back();
      TRY(remove_name(fs, done.parent, done.name, done.inode));
      continue;
    }
    DirectoryItem item = std::move(levels.back().items.back());
    levels.back().items.pop_back();
    TRY(enter(levels.back().inode, std::move(item.name), item.inode));
  }
  return {};
}

Result<Found> removable(ext2_filsys fs, std::string_view path) {
  TRY(check_writable(fs));
  Found found = TRY(look_up(fs, path, Follow::no));
  if (found.name.empty()) {
    return fail(ErrorCode::bad_input, "the root of the image cannot be removed");
  }
  return found;
}

}  // namespace

Result<void> FileSystem::write_file(std::string_view path, std::string_view bytes, const Attributes& attributes) {
  TRY_AS(write_file_at(fs_.get(), path, bytes, attributes), fmt::format("cannot write '{}' in the image", path));
  return {};
}

Result<void> FileSystem::make_directories(std::string_view path, const Attributes& attributes) {
  TRY_AS(make_directories_at(fs_.get(), path, attributes),
         fmt::format("cannot make the directory '{}' in the image", path));
  return {};
}

Result<void> FileSystem::symlink(std::string_view path, std::string_view target, const Attributes& attributes) {
  TRY_AS(symlink_at(fs_.get(), path, target, attributes), fmt::format("cannot make the link '{}' in the image", path));
  return {};
}

Result<void> FileSystem::remove(std::string_view path) {
  const std::string failed = fmt::format("cannot remove '{}' from the image", path);
  const Found found = TRY_AS(removable(fs_.get(), path), failed);
  if (found.inode == 0) {
    return fail(ErrorCode::not_found, failed + ": it does not exist");
  }
  TRY_AS(remove_name(fs_.get(), found.parent, found.name, found.inode), failed);
  return {};
}

Result<void> FileSystem::remove_tree(std::string_view path) {
  const std::string failed = fmt::format("cannot remove '{}' from the image", path);
  const auto found = removable(fs_.get(), path);
  if (!found) {
    return found.error().code == ErrorCode::not_found ? Result<void>() : wrap(found.error(), failed);
  }
  if (found->inode != 0) {
    TRY_AS(remove_tree_at(fs_.get(), *found), failed);
  }
  return {};
}

}  // namespace domsmith::extfs
