#include "imagebuild/extfs/attribute_store.h"

#include "imagebuild/extfs/inode.h"

namespace domsmith::extfs {

Result<void> AttributeStore::set(NodeId node, const AttributeMap& attributes) {
  clear(node);
  if (attributes.empty()) {
    return {};
  }
  EncodedAttributes encoded = TRY(encode_attributes(fs_, attributes, attribute_room));
  if (!encoded.in_inode.empty()) {
    inside_[node] = std::move(encoded.in_inode);
  }
  if (encoded.block.empty()) {
    return {};
  }
  auto [found, is_new] = by_content_.try_emplace(encoded.block, shared_.size());
  if (!is_new && shared_[found->second].users >= EXT2_EXT_ATTR_REFCOUNT_MAX) {
    found->second = shared_.size();
    is_new = true;
  }
  if (is_new) {
    shared_.push_back({.bytes = std::move(encoded.block)});
  }
  ++shared_[found->second].users;
  outside_[node] = found->second;
  return {};
}

void AttributeStore::clear(NodeId node) {
  inside_.erase(node);
  if (const auto found = outside_.find(node); found != outside_.end()) {
    --shared_[found->second].users;
    outside_.erase(found);
  }
}

Result<void> AttributeStore::write(BlockCursor& cursor, BlockStream& stream) {
  for (Shared& each : shared_) {
    if (each.users == 0) {
      continue;
    }
    each.block = cursor.take(1).first;
    auto* header = reinterpret_cast<struct ext2_ext_attr_header*>(each.bytes.data());
    header->h_refcount = each.users;
    TRY(ext2_check(fs_, ext2fs_ext_attr_block_csum_set(fs_, 0, each.block, header),
                   "cannot sum up an attribute block"));
    TRY(stream.write(each.block * fs_->blocksize, each.bytes));
  }
  return {};
}

std::span<const std::byte> AttributeStore::in_inode(NodeId node) const {
  const auto found = inside_.find(node);
  return found == inside_.end() ? std::span<const std::byte>() : std::span<const std::byte>(found->second);
}

std::uint64_t AttributeStore::block_of(NodeId node) const {
  const auto found = outside_.find(node);
  return found == outside_.end() ? 0 : shared_[found->second].block;
}

}  // namespace domsmith::extfs
