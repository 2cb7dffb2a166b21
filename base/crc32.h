// CRC-32 of ISO 3309, by zlib: what GUID partition tables and LVM's metadata areas have as their checksums.
#pragma once

#include <cstdint>
#include <string_view>

namespace domsmith {

std::uint32_t crc32_of(std::string_view bytes);

// The register itself: begun at `start`, and without the inversion at its end.
std::uint32_t crc32_register(std::uint32_t start, std::string_view bytes);

}  // namespace domsmith
