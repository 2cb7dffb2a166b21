#include "hypervisor/installer/partition_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/crc32.h"
#include "base/little_endian.h"

namespace domsmith {
namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t entries = 128;
constexpr std::uint64_t entry_size = 128;
constexpr std::uint64_t entry_sectors = entries * entry_size / sector;
constexpr std::uint64_t header_size = 92;
constexpr std::size_t longest_label = 36;       // characters
constexpr std::size_t mbr_entry = 446;          // the first of four
constexpr std::uint64_t mbr_end = 0xffffffffU;  // a protective entry says no more than 32 bits hold

Result<std::string> entry_array(const std::vector<PlannedPartition>& partitions,
                                const std::vector<std::string>& guids) {
  std::string bytes(entries * entry_size, '\0');
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const PlannedPartition& part = partitions[i];
    if (part.number == 0 || part.number > entries || part.name.size() > longest_label) {
      return fail(ErrorCode::bad_input,
                  fmt::format("partition {}, '{}', does not fit in a GPT", part.number, part.name));
    }
    const std::size_t at = (part.number - 1) * entry_size;
    bytes.replace(at, 16, TRY(guid_bytes(part.type)));
    bytes.replace(at + 16, 16, TRY(guid_bytes(guids[i])));
    put_little_endian(bytes, at + 32, part.start / sector, 8);
    put_little_endian(bytes, at + 40, (part.start + part.size) / sector - 1, 8);
    for (std::size_t c = 0; c < part.name.size(); ++c) {  // UTF-16LE; names here are ASCII
      bytes[at + 56 + 2 * c] = part.name[c];
    }
  }
  return bytes;
}

struct TableCopy {
  std::uint64_t header = 0;  // sectors
  std::uint64_t other = 0;   // the other copy's header
  std::uint64_t array = 0;
};

std::string header(std::uint64_t sectors, const TableCopy& place, const std::string& guid, const std::string& array) {
  std::string bytes(sector, '\0');
  bytes.replace(0, 8, "EFI PART");
  put_little_endian(bytes, 8, 0x00010000, 4);
  put_little_endian(bytes, 12, header_size, 4);
  put_little_endian(bytes, 24, place.header, 8);
  put_little_endian(bytes, 32, place.other, 8);
  put_little_endian(bytes, 40, 2 + entry_sectors, 8);            // first sector for partitions
  put_little_endian(bytes, 48, sectors - entry_sectors - 2, 8);  // last
  bytes.replace(56, 16, guid);
  put_little_endian(bytes, 72, place.array, 8);
  put_little_endian(bytes, 80, entries, 4);
  put_little_endian(bytes, 84, entry_size, 4);
  put_little_endian(bytes, 88, crc32_of(array), 4);
  put_little_endian(bytes, 16, crc32_of(std::string_view(bytes).substr(0, header_size)), 4);
  return bytes;
}

// The part of the first sector behind the boot code.
std::string protective_table(std::uint64_t sectors) {
  std::string bytes(sector - mbr_entry, '\0');
  put_little_endian(bytes, 2, 2, 1);  // head, sector and cylinder of the start: 0, 2, 0
  put_little_endian(bytes, 4, 0xee, 1);
  put_little_endian(bytes, 5, 0xffffff, 3);
  put_little_endian(bytes, 8, 1, 4);
  put_little_endian(bytes, 12, std::min(sectors - 1, mbr_end), 4);
  put_little_endian(bytes, 64, 0xaa55, 2);
  return bytes;
}

}  // namespace

Result<std::string> guid_bytes(const std::string& text) {
  constexpr std::array<std::size_t, 16> order{6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
  std::string bytes;
  for (const std::size_t at : order) {
    unsigned char value = 0;
    if (text.size() != 36 ||
        std::from_chars(text.data() + at, text.data() + at + 2, value, 16).ptr != text.data() + at + 2) {
      return fail(ErrorCode::bad_input, fmt::format("'{}' is no GUID", text));
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Result<std::vector<TablePiece>> partition_table(std::uint64_t size, const std::vector<PlannedPartition>& partitions,
                                                const std::string& disk_guid,
                                                const std::vector<std::string>& entry_guids) {
  const std::uint64_t sectors = size / sector;
  if (entry_guids.size() != partitions.size() || sectors < 2 * (entry_sectors + 2)) {
    return fail(ErrorCode::bad_input,
                "a partition table needs a GUID for each partition, and a disk that has room for it");
  }
  const std::string array = TRY(entry_array(partitions, entry_guids));
  const std::string guid = TRY(guid_bytes(disk_guid));
  const TableCopy first{.header = 1, .other = sectors - 1, .array = 2};
  const TableCopy second{.header = sectors - 1, .other = 1, .array = sectors - 1 - entry_sectors};
  return std::vector<TablePiece>{{second.array * sector, array},
                                 {second.header * sector, header(sectors, second, guid, array)},
                                 {mbr_entry, protective_table(sectors)},
                                 {first.array * sector, array},
                                 {first.header * sector, header(sectors, first, guid, array)}};
}

Result<void> write_partition_table(BlockTarget& disk, const std::vector<PlannedPartition>& partitions,
                                   const std::string& disk_guid, const std::vector<std::string>& entry_guids) {
  for (const TablePiece& piece : TRY(partition_table(disk.size(), partitions, disk_guid, entry_guids))) {
    TRY(disk.write(piece.offset, std::as_bytes(std::span(piece.bytes))));
  }
  return disk.flush();
}

}  // namespace domsmith
