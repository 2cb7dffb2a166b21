// Puts bytes into a new inode on an existing file system.
#pragma once

#include <string_view>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

// Takes blocks, writes them, and sets the inode's size, blocks and map; writing the inode is left to the caller.
// no_space leaves everything as it was.
Result<void> put_content(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode, std::string_view bytes);

Result<void> write_inode(ext2_filsys fs, ext2_ino_t number, const struct ext2_inode_large& inode);

}  // namespace domsmith::extfs
