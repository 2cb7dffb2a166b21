// From a path to an inode, never leaving the image.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::extfs {

struct Found {
  ext2_ino_t parent = 0;  // the directory that has the name
  std::string name;       // empty where the path ends at the root or in ".."
  ext2_ino_t inode = 0;   // 0: there is nothing of that name
};

// Walks to the last component; that one may be absent, its parents may not (not_found). With Follow::yes a link there
// is followed, and a link to nothing is not_found.
Result<Found> look_up(ext2_filsys fs, std::string_view path, Follow follow);

// One name in one directory.
Result<Found> look_up_in(ext2_filsys fs, ext2_ino_t directory, std::string name);

// An existing inode; not_found otherwise.
Result<ext2_ino_t> look_up_existing(ext2_filsys fs, std::string_view path, Follow follow);

Result<struct ext2_inode_large> read_inode(ext2_filsys fs, ext2_ino_t inode);
Result<std::string> read_symlink(ext2_filsys fs, ext2_ino_t inode);
Result<std::string> read_content(ext2_filsys fs, ext2_ino_t inode, std::uint64_t most_bytes);

}  // namespace domsmith::extfs
