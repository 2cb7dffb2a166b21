#include "base/crc32.h"

#include <zlib.h>

namespace domsmith {

namespace {

std::uint32_t with_more(std::uint32_t before, std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::uint32_t crc32_of(std::string_view bytes) { return with_more(0, bytes); }

// zlib inverts at both ends.
std::uint32_t crc32_register(std::uint32_t start, std::string_view bytes) { return ~with_more(~start, bytes); }

}  // namespace domsmith
