// Something that takes bytes for places on a target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace domsmith::extfs {

class BlockWriter {
 public:
  virtual ~BlockWriter() = default;
  virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

}  // namespace domsmith::extfs
