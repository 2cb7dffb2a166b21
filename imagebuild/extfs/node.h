// Making and freeing single inodes, and the names that lead to them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::extfs {

// A new inode with its content written; no name leads to it yet. `near` is the directory it will be in.
Result<ext2_ino_t> make_file(ext2_filsys fs, ext2_ino_t near, std::string_view bytes, const Attributes& attributes);
Result<ext2_ino_t> make_symlink(ext2_filsys fs, ext2_ino_t near, std::string_view target, const Attributes& attributes);
// An empty directory below `parent`, whose link count it raises.
Result<ext2_ino_t> make_directory(ext2_filsys fs, ext2_ino_t parent, const Attributes& attributes);

// Adds a name that is not there yet. A directory that has to grow beyond one block becomes a hash tree.
Result<void> add_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode,
                      std::uint8_t type);
// Lets an existing name lead to another inode.
Result<void> redirect_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode,
                           std::uint8_t type);

// One name less leads to the inode; with the last its blocks and itself are free again. Directories are freed at once.
Result<void> drop_link(ext2_filsys fs, ext2_ino_t inode);
// Adds to the link count of a directory, which a child has with its "..".
Result<void> change_links(ext2_filsys fs, ext2_ino_t directory, int by);
// Takes the name away, and the inode as drop_link() does; a directory must be empty, and lowers the parent's link
// count.
Result<void> remove_name(ext2_filsys fs, ext2_ino_t directory, const std::string& name, ext2_ino_t inode);

}  // namespace domsmith::extfs
