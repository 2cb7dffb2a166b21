// Writes to a fresh target, mostly in rising order: small pieces are gathered, large ones go straight through, every
// write covers whole blocks (a device would have to read the rest of a block first), and long runs of zeroes are left
// out, since the target reads as zeroes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/block_target.h"
#include "base/result.h"
#include "imagebuild/extfs/block_writer.h"

namespace domsmith::extfs {

class BlockStream final : public BlockWriter {
 public:
  static constexpr std::size_t block_bytes = 4096;

  // Bytes at `limit` and behind it are dropped.
  BlockStream(BlockTarget& target, std::uint64_t limit);

  // The rest of the first and last block that a write touches reads as zeroes afterwards, unless it is what was written
  // just before.
  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> flush();

  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  Result<void> gather(std::span<const std::byte> bytes);
  Result<void> write_blocks(std::uint64_t offset, std::span<const std::byte> blocks);
  Result<void> put(std::uint64_t offset, std::span<const std::byte> blocks);
  [[nodiscard]] std::uint64_t end() const { return start_ + used_; }

  BlockTarget* target_;
  std::uint64_t limit_;
  std::vector<std::byte> buffer_;
  std::uint64_t start_ = 0;  // where the buffer's first byte belongs; a multiple of block_bytes
  std::size_t used_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace domsmith::extfs
