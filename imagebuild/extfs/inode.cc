#include "imagebuild/extfs/inode.h"

#include <algorithm>
#include <cstring>

#include "imagebuild/extfs/checksum.h"

namespace domsmith::extfs {
namespace {

struct TypeRow {
  EntryType type;
  std::uint16_t mode;
  std::uint8_t directory;
};
constexpr TypeRow types[] = {
    {EntryType::regular, LINUX_S_IFREG, EXT2_FT_REG_FILE},
    {EntryType::directory, LINUX_S_IFDIR, EXT2_FT_DIR},
    {EntryType::symlink, LINUX_S_IFLNK, EXT2_FT_SYMLINK},
    {EntryType::character_device, LINUX_S_IFCHR, EXT2_FT_CHRDEV},
    {EntryType::block_device, LINUX_S_IFBLK, EXT2_FT_BLKDEV},
    {EntryType::fifo, LINUX_S_IFIFO, EXT2_FT_FIFO},
    {EntryType::socket, LINUX_S_IFSOCK, EXT2_FT_SOCK},
};

const TypeRow& row(EntryType type) {
  const auto* found = std::ranges::find(types, type, &TypeRow::type);
  return found == std::end(types) ? types[0] : *found;
}

constexpr std::int64_t earliest = -(1LL << 31);
constexpr std::int64_t latest = (3LL << 32) + (1LL << 31) - 1;  // in the year 2446

}  // namespace

std::uint16_t mode_bits(EntryType type, std::uint32_t mode) {
  return static_cast<std::uint16_t>(row(type).mode | (mode & 07777U));
}

std::uint8_t directory_type(EntryType type) { return row(type).directory; }

EntryType type_of_mode(std::uint32_t i_mode) {
  const auto* found = std::ranges::find(types, i_mode & LINUX_S_IFMT, &TypeRow::mode);
  return found == std::end(types) ? EntryType::regular : found->type;
}

EntryType type_of_directory_type(unsigned file_type) {
  const auto* found = std::ranges::find(types, file_type, &TypeRow::directory);
  return found == std::end(types) ? EntryType::regular : found->type;
}

DiskTime disk_time(const Timestamp& time) {
  const std::int64_t seconds = std::clamp(time.seconds, earliest, latest);
  const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(seconds & 0xffffffff));
  const auto epoch = static_cast<std::uint32_t>(((seconds - low) >> 32) & 3);
  return {.seconds = static_cast<std::uint32_t>(low), .extra = epoch | std::min(time.nanoseconds, 999'999'999U) << 2};
}

Timestamp shown_time(const DiskTime& time) {
  const auto low = static_cast<std::int64_t>(static_cast<std::int32_t>(time.seconds));
  return {.seconds = low + (static_cast<std::int64_t>(time.extra & 3) << 32), .nanoseconds = time.extra >> 2};
}

std::array<std::byte, 60> device_content(std::uint32_t device_major, std::uint32_t device_minor) {
  std::array<std::byte, 60> content{};
  std::uint32_t words[2] = {};
  if (device_major < 256 && device_minor < 256) {
    words[0] = device_major << 8 | device_minor;
  } else {
    words[1] = (device_minor & 0xff) | device_major << 8 | (device_minor & ~0xffU) << 12;
  }
  std::memcpy(content.data(), words, sizeof words);
  return content;
}

std::array<std::byte, inode_bytes> encode_inode(ext2_filsys fs, ext2_ino_t number, const InodeFields& fields) {
  struct ext2_inode_large inode = {};
  inode.i_mode = mode_bits(fields.type, fields.mode);
  inode.i_uid = static_cast<__u16>(fields.uid);
  inode.i_uid_high = static_cast<__u16>(fields.uid >> 16);
  inode.i_gid = static_cast<__u16>(fields.gid);
  inode.i_gid_high = static_cast<__u16>(fields.gid >> 16);
  inode.i_links_count = static_cast<__u16>(fields.links);
  inode.i_size = static_cast<__u32>(fields.size);
  inode.i_size_high = static_cast<__u32>(fields.size >> 32);
  const std::uint64_t sectors = fields.blocks * (fs->blocksize / 512);
  inode.i_blocks = static_cast<__u32>(sectors);
  inode.osd2.linux2.l_i_blocks_hi = static_cast<__u16>(sectors >> 32);
  inode.i_file_acl = static_cast<__u32>(fields.attribute_block);
  inode.osd2.linux2.l_i_file_acl_high = static_cast<__u16>(fields.attribute_block >> 32);
  const DiskTime mtime = disk_time(fields.mtime);
  const DiskTime made = disk_time({.seconds = fields.made});
  inode.i_mtime = inode.i_atime = mtime.seconds;
  inode.i_mtime_extra = inode.i_atime_extra = mtime.extra;
  inode.i_ctime = inode.i_crtime = made.seconds;
  inode.i_ctime_extra = inode.i_crtime_extra = made.extra;
  inode.i_flags = fields.flags;
  inode.i_extra_isize = sizeof inode - EXT2_GOOD_OLD_INODE_SIZE;
  std::memcpy(inode.i_block, fields.content.data(), fields.content.size());

  std::array<std::byte, inode_bytes> bytes{};
  std::memcpy(bytes.data(), &inode, sizeof inode);
  std::copy_n(fields.attributes.begin(), std::min(fields.attributes.size(), attribute_room),
              bytes.begin() + sizeof inode);
  const std::uint32_t sum = crc32c(inode_seed(fs, number, 0), bytes);
  const auto low = static_cast<std::uint16_t>(sum);
  const auto high = static_cast<std::uint16_t>(sum >> 16);
  std::memcpy(bytes.data() + offsetof(struct ext2_inode_large, osd2.linux2.l_i_checksum_lo), &low, sizeof low);
  std::memcpy(bytes.data() + offsetof(struct ext2_inode_large, i_checksum_hi), &high, sizeof high);
  return bytes;
}

}  // namespace domsmith::extfs
