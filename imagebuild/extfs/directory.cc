#include "imagebuild/extfs/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "imagebuild/extfs/checksum.h"
#include "imagebuild/extfs/find_name.h"

namespace domsmith::extfs {
namespace {

constexpr std::size_t head_bytes = 8;  // of an entry, before its name
constexpr std::size_t tail_bytes = sizeof(struct ext2_dir_entry_tail);
constexpr std::size_t dots_bytes = 24;   // "." and ".."
constexpr std::size_t leaf_slack = 256;  // left free in a leaf, so that the first new names do not split it

std::size_t entry_bytes(std::size_t name_bytes) { return (head_bytes + name_bytes + 3) / 4 * 4; }

struct Hashed {
  ext2_dirhash_t major = 0, minor = 0;
  NamedInode entry;
};

// One block under construction.
class Block {
 public:
  Block(ext2_filsys fs, std::byte* at) : fs_(fs), at_(at) {}

  void add(std::string_view name, ext2_ino_t inode, std::uint8_t type) {
    last_ = used_;
    put(used_, inode, entry_bytes(name.size()), static_cast<unsigned>(name.size()) | unsigned{type} << 8);
    std::memcpy(at_ + used_ + head_bytes, name.data(), name.size());
    used_ += entry_bytes(name.size());
  }
  [[nodiscard]] std::size_t used() const { return used_; }

  // The last entry takes the rest of the block up to `end`.
  void stretch(std::size_t end) {
    if (used_ == 0) {
      put(0, 0, end, 0);
    } else {
      const auto length = static_cast<__u16>(end - last_);
      std::memcpy(at_ + last_ + offsetof(struct ext2_dir_entry, rec_len), &length, sizeof length);
    }
  }
  void finish_list() {
    stretch(fs_->blocksize - tail_bytes);
    ext2fs_initialize_dirent_tail(fs_,
                                  reinterpret_cast<struct ext2_dir_entry_tail*>(at_ + fs_->blocksize - tail_bytes));
  }
  // The sum of a list stands in its tail entry.
  void sum_up_list(std::uint32_t seed) {
    const std::uint32_t sum = crc32c(seed, std::span(at_, fs_->blocksize - tail_bytes));
    std::memcpy(at_ + fs_->blocksize - sizeof sum, &sum, sizeof sum);
  }
  // That of a tree block stands behind the room for all entries, and covers those in use and the words of the tail, its
  // own as zero.
  void sum_up_tree(std::uint32_t seed, std::size_t table, std::size_t entries) {
    std::uint32_t sum = crc32c(seed, std::span(at_, table + entries * sizeof(struct ext2_dx_entry)));
    constexpr std::byte tail[sizeof(struct ext2_dx_tail)] = {};
    sum = crc32c(sum, tail);
    std::memcpy(at_ + fs_->blocksize - sizeof sum, &sum, sizeof sum);
  }

 private:
  void put(std::size_t where, ext2_ino_t inode, std::size_t length, unsigned name_length_and_type) {
    const auto bytes = static_cast<__u16>(length);
    const auto rest = static_cast<__u16>(name_length_and_type);
    std::memcpy(at_ + where, &inode, sizeof inode);
    std::memcpy(at_ + where + 4, &bytes, sizeof bytes);
    std::memcpy(at_ + where + 6, &rest, sizeof rest);
  }

  ext2_filsys fs_;
  std::byte* at_;
  std::size_t used_ = 0;
  std::size_t last_ = 0;
};

class Builder {
 public:
  Builder(ext2_filsys fs, const DirectoryIdentity& who)
      : fs_(fs), self_(who.self), parent_(who.parent), seed_(inode_seed(fs, who.self, who.generation)) {}

  DirectoryBlocks list(std::span<const NamedInode> entries, std::size_t blocks) {
    DirectoryBlocks made{.bytes = std::vector<std::byte>(blocks * fs_->blocksize), .indexed = false};
    for (std::size_t number = 0; number < blocks; ++number) {
      Block block(fs_, made.bytes.data() + number * fs_->blocksize);
      if (number == 0) {
        block.add(".", self_, EXT2_FT_DIR);
        block.add("..", parent_, EXT2_FT_DIR);
        for (const NamedInode& each : entries) {
          block.add(each.name, each.inode, each.type);
        }
      }
      block.finish_list();
      block.sum_up_list(seed_);
    }
    return made;
  }

  Result<DirectoryBlocks> tree(std::span<const NamedInode> entries) {
    const std::vector<Hashed> hashed = TRY(sorted(entries));
    std::vector<std::byte> leaves;
    std::vector<struct ext2_dx_entry> index;
    fill_leaves(hashed, leaves, index);
    return assemble(leaves, index);
  }

 private:
  Result<std::vector<Hashed>> sorted(std::span<const NamedInode> entries) {
    std::vector<Hashed> hashed;
    hashed.reserve(entries.size());
    for (const NamedInode& each : entries) {
      Hashed one{.entry = each};
      one.major = TRY(name_hash(fs_, each.name, &one.minor));
      hashed.push_back(one);
    }
    std::ranges::sort(hashed, {}, [](const Hashed& each) { return std::tie(each.major, each.minor, each.entry.name); });
    return hashed;
  }

  void fill_leaves(std::span<const Hashed> hashed, std::vector<std::byte>& leaves,
                   std::vector<struct ext2_dx_entry>& index) {
    const std::size_t room = fs_->blocksize - tail_bytes - leaf_slack;
    for (std::size_t at = 0; at < hashed.size();) {
      // A leaf that starts with the hash that the one before ends with says so in the lowest bit.
      const bool goes_on = at > 0 && hashed[at - 1].major == hashed[at].major;
      index.push_back({.hash = hashed[at].major | (goes_on ? 1U : 0U), .block = static_cast<__u32>(index.size())});
      leaves.resize(leaves.size() + fs_->blocksize);
      Block block(fs_, leaves.data() + leaves.size() - fs_->blocksize);
      for (; at < hashed.size() && block.used() + entry_bytes(hashed[at].entry.name.size()) <= room; ++at) {
        block.add(hashed[at].entry.name, hashed[at].entry.inode, hashed[at].entry.type);
      }
      block.finish_list();
      block.sum_up_list(seed_);
    }
  }

  // Block 0 is the root; then the nodes below it, if there are any, then the leaves.
  Result<DirectoryBlocks> assemble(std::span<const std::byte> leaves, std::vector<struct ext2_dx_entry>& index) {
    const std::size_t block = fs_->blocksize;
    const std::size_t info_at = dots_bytes;
    const std::size_t root_at = info_at + sizeof(struct ext2_dx_root_info);
    const std::size_t root_limit = (block - root_at - sizeof(struct ext2_dx_tail)) / sizeof(struct ext2_dx_entry);
    const std::size_t node_limit = (block - head_bytes - sizeof(struct ext2_dx_tail)) / sizeof(struct ext2_dx_entry);
    const std::size_t nodes = index.size() <= root_limit ? 0 : blocks_of(index.size(), node_limit);
    if (nodes > root_limit) {
      return fail(ErrorCode::unsupported, "a directory holds more names than ext4 can index");
    }
    for (auto& each : index) {
      each.block += static_cast<__u32>(1 + nodes);
    }
    DirectoryBlocks made{.bytes = std::vector<std::byte>((1 + nodes) * block), .indexed = true};
    std::vector<struct ext2_dx_entry> top;
    for (std::size_t number = 0; number < nodes; ++number) {
      const auto piece =
          std::span(index).subspan(number * node_limit).first(std::min(node_limit, index.size() - number * node_limit));
      std::byte* at = made.bytes.data() + (1 + number) * block;
      Block(fs_, at).stretch(block);
      put_index(at + head_bytes, piece, node_limit);
      Block(fs_, at).sum_up_tree(seed_, head_bytes, piece.size());
      top.push_back({.hash = piece.front().hash, .block = static_cast<__u32>(1 + number)});
    }
    Block root(fs_, made.bytes.data());
    root.add(".", self_, EXT2_FT_DIR);
    root.add("..", parent_, EXT2_FT_DIR);
    root.stretch(block);
    const struct ext2_dx_root_info info = {.reserved_zero = 0,
                                           .hash_version = fs_->super->s_def_hash_version,
                                           .info_length = sizeof info,
                                           .indirect_levels = static_cast<__u8>(nodes == 0 ? 0 : 1),
                                           .unused_flags = 0};
    std::memcpy(made.bytes.data() + info_at, &info, sizeof info);
    put_index(made.bytes.data() + root_at, nodes == 0 ? index : top, root_limit);
    root.sum_up_tree(seed_, root_at, nodes == 0 ? index.size() : top.size());
    made.bytes.insert(made.bytes.end(), leaves.begin(), leaves.end());
    return made;
  }

  // The first entry's hash is taken as 0; limit and count stand in its place.
  static void put_index(std::byte* at, std::span<const struct ext2_dx_entry> index, std::size_t limit) {
    std::memcpy(at, index.data(), index.size_bytes());
    const struct ext2_dx_countlimit head = {.limit = static_cast<__le16>(limit),
                                            .count = static_cast<__le16>(index.size())};
    std::memcpy(at, &head, sizeof head);
  }

  ext2_filsys fs_;
  ext2_ino_t self_;
  ext2_ino_t parent_;
  std::uint32_t seed_;
};

}  // namespace

Result<DirectoryBlocks> build_directory(ext2_filsys fs, const DirectoryIdentity& who,
                                        std::span<const NamedInode> entries, std::size_t least_blocks) {
  std::size_t bytes = dots_bytes;
  for (const NamedInode& each : entries) {
    bytes += entry_bytes(each.name.size());
  }
  Builder builder(fs, who);
  if (bytes <= fs->blocksize - tail_bytes) {
    return builder.list(entries, std::max<std::size_t>(least_blocks, 1));
  }
  return builder.tree(entries);
}

}  // namespace domsmith::extfs
