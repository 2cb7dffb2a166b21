#include "imagebuild/extfs/checksum.h"

#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace domsmith::extfs {
namespace {

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse(std::uint32_t start, std::span<const std::byte> bytes) {
  std::uint64_t crc = start;
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (std::byte each : bytes) {
    rest = _mm_crc32_u8(rest, std::to_integer<unsigned char>(each));
  }
  return rest;
}

bool has_sse() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t start, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (has_sse()) {
    return crc32c_sse(start, bytes);
  }
#endif
  return ext2fs_crc32c_le(start, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint32_t inode_seed(ext2_filsys fs, ext2_ino_t number, std::uint32_t generation) {
  const std::uint32_t words[] = {number, generation};
  return crc32c(fs->csum_seed, std::as_bytes(std::span(words)));
}

}  // namespace domsmith::extfs
