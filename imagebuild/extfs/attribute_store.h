// The attributes of the files of a tree: those that fit an inode by node, the blocks of the others shared between all
// files that have the same (h_refcount), as the kernel shares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/attributes.h"
#include "imagebuild/extfs/block_cursor.h"
#include "imagebuild/extfs/block_stream.h"
#include "imagebuild/extfs/name_tree.h"

namespace domsmith::extfs {

class AttributeStore {
 public:
  explicit AttributeStore(ext2_filsys fs) : fs_(fs) {}

  // Replaces what the node had; an empty map takes it away.
  Result<void> set(NodeId node, const AttributeMap& attributes);
  void clear(NodeId node);

  // Takes and writes the blocks; then block_of() knows them.
  Result<void> write(BlockCursor& cursor, BlockStream& stream);

  [[nodiscard]] std::span<const std::byte> in_inode(NodeId node) const;
  [[nodiscard]] std::uint64_t block_of(NodeId node) const;  // 0: none

 private:
  struct Shared {
    std::vector<std::byte> bytes;
    std::uint32_t users = 0;
    std::uint64_t block = 0;
  };
  ext2_filsys fs_;
  std::unordered_map<NodeId, std::vector<std::byte>> inside_;
  std::unordered_map<NodeId, std::size_t> outside_;  // node -> place in shared_
  std::vector<Shared> shared_;
  std::map<std::vector<std::byte>, std::size_t> by_content_;  // those that may get one user more
};

}  // namespace domsmith::extfs
