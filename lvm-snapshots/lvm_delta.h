// What thin_delta(8) says of two devices of a pool.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace domsmith {

// Bytes in blocks that the two do not share: "different", "left_only" and "right_only" ranges of its XML, whose lengths
// count blocks of data_block_size sectors.
Result<std::uint64_t> parse_thin_delta(std::string_view xml);

}  // namespace domsmith
