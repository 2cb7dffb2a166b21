// What a TreeWriter's calls make: nodes, and where their bytes lie. Nothing here is on the target but file data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/block_target.h"
#include "imagebuild/extfs/attribute_store.h"
#include "imagebuild/extfs/block_cursor.h"
#include "imagebuild/extfs/block_stream.h"
#include "imagebuild/extfs/name_tree.h"

namespace domsmith::extfs {

class TreePlan {
 public:
  TreePlan(ext2_filsys fs, BlockTarget& target);

  // TreeSink's contract (imagebuild/tree/entry.h).
  Result<void> entry(const Entry& entry);
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes);

  NameTree names;
  AttributeStore attributes;
  BlockCursor cursor;
  BlockStream stream;
  BlockRun front;  // kept for the directories that clones change, and for clones
  std::uint64_t data_bytes = 0;

 private:
  Result<void> add_hard_link(const Place& place, const Entry& entry);
  Result<void> make_room(const Place& place, EntryType type);
  void release(NodeId node);
  static void describe(Node& node, const Entry& entry);

  ext2_filsys fs_;
  std::optional<NodeId> open_;     // the regular file that data() belongs to
  std::uint64_t next_offset_ = 0;  // where its next data may start
};

}  // namespace domsmith::extfs
