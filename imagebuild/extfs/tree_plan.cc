#include "imagebuild/extfs/tree_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "imagebuild/extfs/front.h"

namespace domsmith::extfs {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::uint64_t most_blocks = 0xffffffff;  // of one file: logical numbers have 32 bits

Result<void> check_entry(const Entry& entry, const Place& place, std::uint32_t block_bytes) {
  if (place.name.size() > longest_name) {
    return fail(ErrorCode::bad_input,
                fmt::format("the name of {} bytes is too long: ext4 takes {}", place.name.size(), longest_name));
  }
  if (place.name == "." || place.name == ".." || (place.name.empty() && !entry.path.empty()) ||
      entry.path.find('\0') != std::string::npos) {
    return fail(ErrorCode::bad_input, "the path is not a normalised one");
  }
  if (entry.path.empty() && entry.type != EntryType::directory) {
    return fail(ErrorCode::bad_input, "the root can only be a directory");
  }
  if (entry.type == EntryType::regular && entry.size > most_blocks * block_bytes) {
    return fail(ErrorCode::bad_input, fmt::format("a file of {} bytes is larger than ext4 can hold", entry.size));
  }
  if (entry.type == EntryType::symlink &&
      (entry.target.empty() || entry.target.size() >= block_bytes || entry.target.find('\0') != std::string::npos)) {
    return fail(ErrorCode::bad_input, fmt::format("a link to a path of {} bytes is not possible", entry.target.size()));
  }
  return {};
}

}  // namespace

TreePlan::TreePlan(ext2_filsys fs, BlockTarget& target)
    : names({.seconds = fs->now, .nanoseconds = 0}),
      attributes(fs),
      cursor(fs),
      stream(target, ext2fs_blocks_count(fs->super) * fs->blocksize),
      front(reserve_front(fs, cursor)),
      fs_(fs) {}

void TreePlan::release(NodeId node) {
  for (const Extent& each : names.node(node).extents) {
    cursor.give_back({.first = each.physical, .count = each.length});
  }
  names.node(node).extents.clear();
  attributes.clear(node);
}

// Takes away what holds the name, unless it may stay: a directory that is given again.
Result<void> TreePlan::make_room(const Place& place, EntryType type) {
  const auto old = names.find(place);
  if (!old || (type == EntryType::directory && names.node(*old).directory)) {
    return {};
  }
  if (names.node(*old).directory && (!names.node(*old).directory->names.empty() || *old <= NameTree::lost_found)) {
    return fail(ErrorCode::bad_input, "a directory that is not empty cannot become something else");
  }
  if (names.unlink(place)) {
    release(*old);
  }
  return {};
}

void TreePlan::describe(Node& node, const Entry& entry) {
  node.mode = static_cast<std::uint16_t>(entry.mode & 07777);
  node.uid = entry.uid;
  node.gid = entry.gid;
  node.mtime = entry.mtime;
  if (entry.type == EntryType::regular) {
    node.size = entry.size;
  }
  if (entry.type == EntryType::symlink) {
    node.target = entry.target;
  }
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    node.device_major = entry.device_major;
    node.device_minor = entry.device_minor;
  }
}

Result<void> TreePlan::add_hard_link(const Place& place, const Entry& entry) {
  const Place from = TRY(names.place_of(entry.target, false));
  const auto node = from.name.empty() ? std::nullopt : names.find(from);
  if (!node) {
    return fail(ErrorCode::bad_input, fmt::format("the hard link's target '{}' does not exist", entry.target));
  }
  if (names.node(*node).directory) {
    return fail(ErrorCode::bad_input, fmt::format("the hard link's target '{}' is a directory", entry.target));
  }
  if (names.find(place) == node) {
    return {};
  }
  TRY(make_room(place, EntryType::hard_link));
  return names.link(place, *node);
}

Result<void> TreePlan::entry(const Entry& entry) {
  open_.reset();
  const Place place = TRY(names.place_of(entry.path, true));
  TRY(check_entry(entry, place, fs_->blocksize));
  if (entry.type == EntryType::hard_link) {
    return add_hard_link(place, entry);
  }
  TRY(make_room(place, entry.type));
  const auto kept = names.find(place);
  const NodeId id = kept ? *kept : names.add(place, entry.type);
  describe(names.node(id), entry);
  TRY(attributes.set(id, entry.xattrs));
  if (entry.type == EntryType::regular) {
    open_ = id;
    next_offset_ = 0;
  }
  return {};
}

Result<void> TreePlan::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!open_) {
    return fail(ErrorCode::bad_input, "data came without a file that it belongs to");
  }
  Node& node = names.node(*open_);
  if (offset < next_offset_ || offset > node.size || bytes.size() > node.size - offset) {
    return fail(ErrorCode::bad_input, fmt::format("{} bytes of data at {} do not fit a file of {} bytes that has {} of "
                                                  "them already",
                                                  bytes.size(), offset, node.size, next_offset_));
  }
  data_bytes += bytes.size();
  next_offset_ = offset + bytes.size();
  const std::uint32_t block = fs_->blocksize;
  while (!bytes.empty()) {
    const auto logical = static_cast<std::uint32_t>(offset / block);
    const std::uint64_t inside = offset % block;
    const Extent* last = node.extents.empty() ? nullptr : &node.extents.back();
    BlockRun run;
    if (last != nullptr && logical < last->logical + last->length) {  // the rest of a block that has data already
      run = {.first = last->physical + (logical - last->logical), .count = 1};
    } else {
      run = cursor.take(blocks_of(inside + bytes.size(), block));
      append_extent(node.extents, logical, run);
    }
    const std::size_t length = std::min<std::uint64_t>(bytes.size(), run.count * block - inside);
    TRY(stream.write(run.first * block + inside, bytes.first(length)));
    offset += length;
    bytes = bytes.subspan(length);
  }
  return {};
}

}  // namespace domsmith::extfs
