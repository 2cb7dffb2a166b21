// CRC-32C as ext4's metadata_csum uses it: over a seed of the file system, the inode's number and generation, then
// bytes. Documentation/filesystems/ext4/checksums.rst. libext2fs's own functions read the inode for every block they
// sum up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

// By the processor's instruction where it has one.
std::uint32_t crc32c(std::uint32_t start, std::span<const std::byte> bytes);

// What the sums of an inode and of its directory and extent blocks start with.
std::uint32_t inode_seed(ext2_filsys fs, ext2_ino_t number, std::uint32_t generation);

}  // namespace domsmith::extfs
