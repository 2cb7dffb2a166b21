// What a fresh clone of an image costs a thin pool: its identity is written to a picture of the image in memory, and
// what that changes is counted.
#pragma once

#include <cstdint>

#include "base/block_target.h"
#include "base/result.h"

namespace domsmith {

struct CloneCost {
  static constexpr std::uint64_t block_bytes = 4096;
  static constexpr std::uint64_t chunk_bytes = 64U << 10;  // of a thin pool, as lvm.conf(5) has it

  std::uint64_t blocks = 0;  // that are written
  std::uint64_t chunks = 0;  // that these lie in: the pool copies each of them
  bool operator==(const CloneCost&) const = default;
};

// `image` is only read. The same image costs the same each time; a fixed address or keys for root cost a little more.
Result<CloneCost> clone_cost(BlockTarget& image);

}  // namespace domsmith
