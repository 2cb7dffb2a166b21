// Numbers as tables on disks and in firmware hold them: the lowest byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace domsmith {

// `count` bytes of `bytes` from `offset` on, which are there already.
inline void put_little_endian(std::string& bytes, std::size_t offset, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, value >>= 8) {
    bytes[offset + i] = static_cast<char>(value & 0xff);
  }
}

inline std::string little_endian(std::uint64_t value, std::size_t count) {
  std::string bytes(count, '\0');
  put_little_endian(bytes, 0, value, count);
  return bytes;
}

}  // namespace domsmith
