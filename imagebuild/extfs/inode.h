// The 256 bytes of an inode. On-disk format: Documentation/filesystems/ext4/inodes.rst.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "imagebuild/extfs/ext2.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::extfs {

constexpr std::size_t inode_bytes = 256;
constexpr std::size_t attribute_room = inode_bytes - sizeof(struct ext2_inode_large);

struct InodeFields {
  EntryType type = EntryType::regular;
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t links = 1;
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  // of the file system, tree and attributes included
  std::uint64_t attribute_block = 0;
  Timestamp mtime;                        // and atime
  std::int64_t made = 0;                  // ctime and crtime, seconds
  std::uint32_t flags = 0;                // EXT4_*_FL
  std::array<std::byte, 60> content{};    // i_block
  std::span<const std::byte> attributes;  // in_inode of EncodedAttributes
};

// With its checksum, for the inode numbered `number`.
std::array<std::byte, inode_bytes> encode_inode(ext2_filsys fs, ext2_ino_t number, const InodeFields& fields);

// The two words of i_block of a device node, old and new encoding (include/linux/kdev_t.h).
std::array<std::byte, 60> device_content(std::uint32_t device_major, std::uint32_t device_minor);

std::uint16_t mode_bits(EntryType type, std::uint32_t mode);  // i_mode
std::uint8_t directory_type(EntryType type);                  // EXT2_FT_*
EntryType type_of_mode(std::uint32_t i_mode);
EntryType type_of_directory_type(unsigned file_type);

// i_xtime and i_xtime_extra: 34 bits of seconds and 30 of nanoseconds; clamped to what they hold.
struct DiskTime {
  std::uint32_t seconds = 0;
  std::uint32_t extra = 0;
};
DiskTime disk_time(const Timestamp& time);
Timestamp shown_time(const DiskTime& time);

}  // namespace domsmith::extfs
