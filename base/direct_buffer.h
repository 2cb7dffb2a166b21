// Memory that O_DIRECT takes, whatever the device's sector is (open(2)).
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"

namespace domsmith {

class DirectBuffer {
 public:
  static constexpr std::size_t alignment = 4096;  // no device has longer sectors
  // `length`: a multiple of the alignment. failed: no memory.
  static Result<DirectBuffer> of(std::size_t length) {
    DirectBuffer buffer(length);
    return buffer.memory_ ? Result<DirectBuffer>(std::move(buffer))
                          : fail(ErrorCode::failed, "no memory to read or write a disk");
  }
  [[nodiscard]] std::span<std::byte> all() const { return {static_cast<std::byte*>(memory_.get()), length_}; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  explicit DirectBuffer(std::size_t length) : memory_(std::aligned_alloc(alignment, length)), length_(length) {}
  std::unique_ptr<void, Free> memory_;
  std::size_t length_;
};

}  // namespace domsmith
