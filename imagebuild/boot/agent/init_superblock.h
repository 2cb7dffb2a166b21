// Which file system lies on a block device: as much of ext2/3/4's superblock as naming it needs.
//
// Offsets are those of struct ext4_super_block (Documentation/filesystems/ext4/super.rst); it starts 1024 bytes into
// the device, integers are little-endian.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace domsmith::agent {

inline constexpr std::size_t superblock_offset = 1024;
inline constexpr std::size_t superblock_size = 1024;

struct ExtName {
  std::string uuid;  // 01234567-89ab-cdef-0123-456789abcdef
  std::string label;
};

// The 1024 bytes of a superblock; nullopt where they are none of ext's.
std::optional<ExtName> read_ext_name(std::string_view superblock);

// Does root= ("LABEL=…", "UUID=…") mean this file system? Upper and lower case of a UUID are the same.
bool is_meant(std::string_view root, const ExtName& name);

}  // namespace domsmith::agent
