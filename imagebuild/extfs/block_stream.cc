#include "imagebuild/extfs/block_stream.h"

#include <algorithm>
#include <cstring>

namespace domsmith::extfs {
namespace {

constexpr std::size_t buffer_bytes = 512U << 10;
constexpr std::size_t straight_bytes = 64U << 10;  // pieces from here on are not copied into the buffer
constexpr std::size_t hole_blocks = 16;            // a run of zeroes shorter than this is written

bool is_zero(const std::byte* block) {
  std::uint64_t head = 0;
  std::memcpy(&head, block, sizeof head);
  return head == 0 && std::memcmp(block, block + sizeof head, BlockStream::block_bytes - sizeof head) == 0;
}

}  // namespace

BlockStream::BlockStream(BlockTarget& target, std::uint64_t limit)
    : target_(&target), limit_(limit), buffer_(buffer_bytes) {}

Result<void> BlockStream::put(std::uint64_t offset, std::span<const std::byte> blocks) {
  if (blocks.empty()) {
    return {};
  }
  bytes_written_ += blocks.size();
  return target_->write(offset, blocks);
}

Result<void> BlockStream::write_blocks(std::uint64_t offset, std::span<const std::byte> blocks) {
  if (offset >= limit_) {
    return {};
  }
  blocks = blocks.first(std::min<std::uint64_t>(blocks.size(), limit_ - offset));
  const std::size_t count = blocks.size() / block_bytes;
  std::size_t first = 0;  // of what has to be written
  for (std::size_t at = 0; at < count;) {
    if (!is_zero(blocks.data() + at * block_bytes)) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    while (end < count && is_zero(blocks.data() + end * block_bytes)) {
      ++end;
    }
    if (end - at >= hole_blocks) {
      TRY(put(offset + first * block_bytes, blocks.subspan(first * block_bytes, (at - first) * block_bytes)));
      first = end;
    }
    at = end;
  }
  return put(offset + first * block_bytes, blocks.subspan(first * block_bytes));
}

Result<void> BlockStream::flush() {
  const std::size_t whole = (used_ + block_bytes - 1) / block_bytes * block_bytes;
  std::memset(buffer_.data() + used_, 0, whole - used_);
  TRY(write_blocks(start_, std::span(buffer_).first(whole)));
  start_ += whole;
  used_ = 0;
  return {};
}

// Appends at end().
Result<void> BlockStream::gather(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (used_ % block_bytes == 0 && bytes.size() >= straight_bytes) {
      TRY(flush());
      const std::size_t whole = bytes.size() / block_bytes * block_bytes;
      TRY(write_blocks(start_, bytes.first(whole)));
      start_ += whole;
      bytes = bytes.subspan(whole);
      continue;
    }
    std::size_t piece = std::min(bytes.size(), buffer_.size() - used_);
    if (bytes.size() >= straight_bytes) {
      piece = std::min(piece, block_bytes - used_ % block_bytes);
    }
    std::memcpy(buffer_.data() + used_, bytes.data(), piece);
    used_ += piece;
    bytes = bytes.subspan(piece);
    if (used_ == buffer_.size()) {
      TRY(flush());
    }
  }
  return {};
}

Result<void> BlockStream::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset < end() || offset - end() >= block_bytes) {
    TRY(flush());
    start_ = offset / block_bytes * block_bytes;
  }
  static constexpr std::byte nothing[block_bytes] = {};
  TRY(gather(std::span(nothing).first(offset - end())));
  return gather(bytes);
}

}  // namespace domsmith::extfs
