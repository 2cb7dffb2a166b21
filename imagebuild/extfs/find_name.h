// Finds a name in a directory, by its hash tree where it has one.
#pragma once

#include <string_view>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

// The inode that the name leads to; 0: none. A hash tree that makes no sense is passed by, and the directory read as
// the list that it is as well.
Result<ext2_ino_t> find_name(ext2_filsys fs, ext2_ino_t directory, std::string_view name);

// The hash that orders the file system's directories.
Result<ext2_dirhash_t> name_hash(ext2_filsys fs, std::string_view name, ext2_dirhash_t* minor);

}  // namespace domsmith::extfs
