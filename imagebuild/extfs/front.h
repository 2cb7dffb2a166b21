// The part of a tree that every clone changes: kept together at the front of the file system, with room for what a
// clone adds, so that a thin snapshot copies few chunks for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "imagebuild/extfs/block_cursor.h"
#include "imagebuild/extfs/name_tree.h"

namespace domsmith::extfs {

// A clone's identity: host name, keys, network configuration, as the distributions place them. A path that a tree does
// not have counts with its directories.
const std::vector<std::string>& identity_paths();

// The nodes on the way to each path, each once, directories before what is in them. Links are not followed.
std::vector<NodeId> nodes_of(NameTree& names, std::span<const std::string> paths);

// The directories that an identity puts names into, of those that a tree has.
struct FrontDirectories {
  std::vector<NodeId> written;  // by nearly every identity; with what it adds they shall fit one chunk of a thin pool
  std::vector<NodeId> seldom;
};
FrontDirectories front_directories(NameTree& names);

// Which inode each node becomes: those of the front first, then numbers left free for clones, then the others in the
// order in which they came, so that the tables fill from the front.
class InodeNumbers {
 public:
  InodeNumbers(NodeId count, std::span<const NodeId> front, std::uint32_t left_free);

  [[nodiscard]] ext2_ino_t of(NodeId id) const { return numbers_[id]; }
  [[nodiscard]] ext2_ino_t highest() const { return highest_; }
  [[nodiscard]] const std::vector<NodeId>& in_order() const { return order_; }  // of rising numbers

 private:
  std::vector<ext2_ino_t> numbers_;
  std::vector<NodeId> order_;
  ext2_ino_t highest_ = 0;
};

inline constexpr std::uint64_t front_blocks = 48;     // directories of /etc and about 30 small files
inline constexpr std::uint64_t front_alignment = 16;  // 64 KiB, the smallest chunk of a thin pool
// Blocks that reserve_front() looks for: enough, wherever a chunk begins.
inline constexpr std::uint64_t front_room = front_blocks + front_alignment - 1;

// Blocks for the directories of the front and for clones, in one piece that starts with a chunk; an empty
// run where the file system is too small to spare them.
BlockRun reserve_front(ext2_filsys fs, BlockCursor& cursor);

}  // namespace domsmith::extfs
