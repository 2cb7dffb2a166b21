// What a file system is written to: a range of bytes, whatever is behind it (an LV, a raw file, memory).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

class BlockTarget {
 public:
  virtual ~BlockTarget() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;  // bytes
  // Both fail for a range past the end. Reading what was never written gives zeroes on targets of ours.
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
  virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  // The same, of a large copy that nobody reads soon: a device gets it past the page cache, where the bytes, their
  // offset and their number are whole pages. The cache of a small dom0 costs more than the disk.
  virtual Result<void> write_once(std::uint64_t offset, std::span<const std::byte> from) { return write(offset, from); }
  // Makes the range read as zeroes and gives its space back where that is possible.
  virtual Result<void> discard(std::uint64_t offset, std::uint64_t length) = 0;
  virtual Result<void> flush() = 0;  // durable when it returns
  // The next range at or behind `offset` that may hold data (SEEK_DATA where there is one); nullopt: none.
  virtual Result<std::optional<ByteRange>> next_data(std::uint64_t offset) = 0;
  // A name for people: "/dev/vg0/web", "memory:web".
  [[nodiscard]] virtual std::string name() const = 0;
};

// What reads of a device give after BLKDISCARD: nobody knows, or zeroes where whole chunks went and what was there
// elsewhere (dm-thin: Documentation/admin-guide/device-mapper/thin-provisioning.rst).
enum class Discards { anything, unmap };

// The refusal of a range that does not lie in the target.
Result<void> check_range(const BlockTarget& target, std::uint64_t offset, std::uint64_t length);

// A raw file or a block device. size() of a device is BLKGETSIZE64; discard is fallocate(PUNCH_HOLE). Devices that
// cannot do that (dm-thin) are written, or with Discards::unmap discarded, read, and written where that left something.
enum class Access { read_only, read_write };
Result<std::unique_ptr<BlockTarget>> open_block_target(const std::string& path, Access access,
                                                       Discards discards = Discards::anything);
Result<std::unique_ptr<BlockTarget>> block_target_of(Fd fd, std::string name);

// Sparse memory; for tests and the in-memory store.
std::unique_ptr<BlockTarget> memory_target(std::uint64_t size, std::string name = "memory");

// Copies what `from` holds in the range to a `to` that reads as zeroes there; holes and blocks of zeroes stay holes.
// Returns the bytes written.
Result<std::uint64_t> copy_sparse(BlockTarget& from, BlockTarget& to, ByteRange range);

}  // namespace domsmith
