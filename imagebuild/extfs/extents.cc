#include "imagebuild/extfs/extents.h"

#include <algorithm>
#include <cstring>

#include "imagebuild/extfs/checksum.h"

namespace domsmith::extfs {
namespace {

constexpr std::uint32_t longest = 32768;  // EXT_INIT_MAX_LEN
constexpr std::size_t root_entries = 4;

// An entry of either kind; leaves and indexes are 12 bytes alike.
struct Reference {
  std::uint32_t logical = 0;
  std::uint64_t physical = 0;
  std::uint32_t length = 0;  // leaves
};

void put_header(std::byte* at, std::size_t entries, std::size_t most, unsigned depth) {
  const struct ext3_extent_header header = {.eh_magic = EXT3_EXT_MAGIC,
                                            .eh_entries = static_cast<__le16>(entries),
                                            .eh_max = static_cast<__le16>(most),
                                            .eh_depth = static_cast<__le16>(depth),
                                            .eh_generation = 0};
  std::memcpy(at, &header, sizeof header);
}

void put_entries(std::byte* at, std::span<const Reference> entries, unsigned depth) {
  at += sizeof(struct ext3_extent_header);
  for (const Reference& each : entries) {
    const auto low = static_cast<std::uint32_t>(each.physical);
    const auto high = static_cast<std::uint16_t>(each.physical >> 32);
    if (depth == 0) {
      const struct ext3_extent leaf = {each.logical, static_cast<__le16>(each.length), high, low};
      std::memcpy(at, &leaf, sizeof leaf);
    } else {
      const struct ext3_extent_idx index = {each.logical, low, high, 0};
      std::memcpy(at, &index, sizeof index);
    }
    at += sizeof(struct ext3_extent);
  }
}

struct Level {
  ext2_filsys fs;
  ext2_ino_t inode;
  BlockCursor& cursor;
  BlockWriter& writer;

  // Writes one level into blocks of its own and returns the entries of the level above.
  Result<std::vector<Reference>> write(std::span<const Reference> entries, unsigned depth, ExtentTree& tree) {
    const std::size_t most = (fs->blocksize - sizeof(struct ext3_extent_header)) / sizeof(struct ext3_extent);
    std::vector<Reference> above;
    std::vector<std::byte> block(fs->blocksize);
    for (std::size_t first = 0; first < entries.size(); first += most) {
      const auto piece = entries.subspan(first, std::min(most, entries.size() - first));
      std::fill(block.begin(), block.end(), std::byte{});
      put_header(block.data(), piece.size(), most, depth);
      put_entries(block.data(), piece, depth);
      if (ext2fs_has_feature_metadata_csum(fs->super)) {
        const std::size_t summed = sizeof(struct ext3_extent_header) + most * sizeof(struct ext3_extent);
        const std::uint32_t sum = crc32c(inode_seed(fs, inode, 0), std::span(block).first(summed));
        std::memcpy(block.data() + summed, &sum, sizeof sum);
      }
      const BlockRun run = cursor.take(1);
      TRY(writer.write(run.first * fs->blocksize, block));
      tree.blocks.push_back(run);
      above.push_back({.logical = piece.front().logical, .physical = run.first, .length = 0});
    }
    return above;
  }
};

}  // namespace

void append_extent(std::vector<Extent>& extents, std::uint32_t logical, BlockRun run) {
  if (!extents.empty()) {
    Extent& last = extents.back();
    if (last.logical + last.length == logical && last.physical + last.length == run.first && last.length < longest) {
      const auto more = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, longest - last.length));
      last.length += more;
      logical += more;
      run = {.first = run.first + more, .count = run.count - more};
    }
  }
  while (run.count > 0) {
    const auto piece = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, longest));
    extents.push_back({.logical = logical, .length = piece, .physical = run.first});
    logical += piece;
    run = {.first = run.first + piece, .count = run.count - piece};
  }
}

Result<ExtentTree> write_extent_tree(ext2_filsys fs, ext2_ino_t inode, std::span<const Extent> extents,
                                     BlockCursor& cursor, BlockWriter& writer) {
  ExtentTree tree;
  std::vector<Reference> entries;
  entries.reserve(extents.size());
  for (const Extent& each : extents) {
    entries.push_back({.logical = each.logical, .physical = each.physical, .length = each.length});
  }
  unsigned depth = 0;
  for (Level level{fs, inode, cursor, writer}; entries.size() > root_entries; ++depth) {
    entries = TRY(level.write(entries, depth, tree));
  }
  put_header(tree.root.data(), entries.size(), root_entries, depth);
  put_entries(tree.root.data(), entries, depth);
  return tree;
}

}  // namespace domsmith::extfs
