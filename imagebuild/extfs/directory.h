// The blocks of a directory: one block is a list, more are a hash tree ("htree") over lists, as the kernel's dir_index
// makes them. On-disk format: Documentation/filesystems/ext4/directory.rst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

struct NamedInode {
  std::string_view name;  // 1 to 255 bytes
  ext2_ino_t inode = 0;
  std::uint8_t type = 0;  // EXT2_FT_*
};

struct DirectoryBlocks {
  std::vector<std::byte> bytes;  // whole blocks, with their checksums
  bool indexed = false;          // the inode wants EXT2_INDEX_FL
};

struct DirectoryIdentity {
  ext2_ino_t self = 0;
  ext2_ino_t parent = 0;
  std::uint32_t generation = 0;  // of the inode
};

// For a file system with metadata_csum. `entries` without "." and "..", no name twice. The list form has `least_blocks`
// blocks at least.
Result<DirectoryBlocks> build_directory(ext2_filsys fs, const DirectoryIdentity& who,
                                        std::span<const NamedInode> entries, std::size_t least_blocks = 1);

}  // namespace domsmith::extfs
