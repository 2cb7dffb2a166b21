// What the reader and the writer of LVM's metadata areas share. All numbers on disk are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

constexpr std::size_t mda_sector = 512;
constexpr std::size_t mda_header_length = 512;       // MDA_HEADER_SIZE
constexpr std::size_t mda_location = 40;             // raw_locns, behind checksum, magic, version, start, size
constexpr std::size_t mda_location_length = 24;      // offset, size, checksum, flags
constexpr std::uint32_t lvm_crc_start = 0xf597a6cf;  // INITIAL_CRC of lib/misc/crc.h

std::uint64_t le64_at(std::string_view bytes, std::size_t at);
std::uint32_t le32_at(std::string_view bytes, std::size_t at);
void put_le64(std::string& bytes, std::size_t at, std::uint64_t value);
void put_le32(std::string& bytes, std::size_t at, std::uint32_t value);

// Bytes for a longer text in an area of that size whose text has that length (vg_mda_free).
std::uint64_t lvm_area_free(std::uint64_t area_size, std::uint64_t length);

// LVM's, begun at lvm_crc_start.
std::uint32_t lvm_checksum(std::string_view bytes);

// Bytes of a disk that is open with O_DIRECT. not_found: it ends before them.
Result<std::string> read_direct(const Fd& disk, const std::filesystem::path& device, std::uint64_t offset,
                                std::size_t length);

// The sector of label_header, which the first four are searched for. not_found.
Result<std::string> lvm_label_of(const Fd& disk, const std::filesystem::path& device);

// A text of `length` bytes that begins `offset` bytes into an area, and goes on behind its header.
Result<std::string> read_ring(const Fd& disk, const std::filesystem::path& device, std::uint64_t area_start,
                              std::uint64_t area_size, std::uint64_t offset, std::uint64_t length);

}  // namespace domsmith
