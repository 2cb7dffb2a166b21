#include "lvm-snapshots/lvm_disk.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/crc32.h"
#include "base/direct_buffer.h"
#include "base/little_endian.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_disk_format.h"

namespace domsmith {

namespace {

constexpr std::size_t label_sectors = 4;
constexpr std::size_t id_length = 32;
constexpr std::size_t area_entry = 16;          // disk_locn: offset, size
constexpr std::uint32_t ignored = 1;            // RAW_LOCN_IGNORED
constexpr std::uint32_t area_version = 1;       // FMTT_VERSION
constexpr std::uint32_t extension_version = 2;  // PV_HEADER_EXTENSION_VSN
constexpr std::uint32_t extension_used = 1;     // PV_EXT_USED
constexpr std::uint64_t longest_text = 512ULL << 20;

std::unexpected<Error> not_one(const std::filesystem::path& device) {
  return fail(ErrorCode::not_found, fmt::format("{} holds no physical volume of LVM", device.string()));
}

std::unexpected<Error> unsteady(const std::filesystem::path& device) {
  return fail(ErrorCode::busy, fmt::format("LVM's metadata on {} do not fit their checksum", device.string()));
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = length; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

}  // namespace

std::uint64_t le64_at(std::string_view bytes, std::size_t at) { return number_at(bytes, at, 8); }
std::uint32_t le32_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number_at(bytes, at, 4));
}
void put_le64(std::string& bytes, std::size_t at, std::uint64_t value) { put_little_endian(bytes, at, value, 8); }
void put_le32(std::string& bytes, std::size_t at, std::uint32_t value) { put_little_endian(bytes, at, value, 4); }

// A new text stands beside the old one, so a text may have half of the ring, less a sector (vgs of 2.03.16 shows it).
std::uint64_t lvm_area_free(std::uint64_t area_size, std::uint64_t length) {
  const std::uint64_t half = (area_size - mda_header_length) / 2;
  const std::uint64_t used = length + mda_sector;
  return used >= half ? 0 : (half - used) / mda_sector * mda_sector;
}

std::uint32_t lvm_checksum(std::string_view bytes) { return crc32_register(lvm_crc_start, bytes); }

Result<std::string> read_direct(const Fd& disk, const std::filesystem::path& device, std::uint64_t offset,
                                std::size_t length) {
  static constexpr std::size_t aligned_to = DirectBuffer::alignment;
  const std::uint64_t from = offset / aligned_to * aligned_to;
  const std::uint64_t end = (offset + length + aligned_to - 1) / aligned_to * aligned_to;
  const DirectBuffer memory = TRY(DirectBuffer::of(end - from));
  const std::size_t read = TRY(pread_some(disk.get(), from, memory.all()));
  if (read < offset - from + length) {
    return not_one(device);
  }
  return std::string(reinterpret_cast<const char*>(memory.all().data()) + (offset - from), length);
}

Result<std::string> read_ring(const Fd& disk, const std::filesystem::path& device, std::uint64_t area_start,
                              std::uint64_t area_size, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t first = std::min(length, area_size - offset);
  std::string text = TRY(read_direct(disk, device, area_start + offset, first));
  if (first < length) {
    text += TRY(read_direct(disk, device, area_start + mda_header_length, length - first));
  }
  return text;
}

Result<std::string> lvm_label_of(const Fd& disk, const std::filesystem::path& device) {
  const std::string head = TRY(read_direct(disk, device, 0, mda_sector * label_sectors));
  for (std::size_t i = 0; i < label_sectors; ++i) {
    std::string label = head.substr(i * mda_sector, mda_sector);
    if (label.starts_with("LABELONE") && label.compare(24, 8, "LVM2 001") == 0 && le64_at(label, 8) == i &&
        lvm_checksum(std::string_view(label).substr(20)) == le32_at(label, 16)) {
      return label;
    }
  }
  return not_one(device);
}

namespace {

struct Place {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

struct Places {
  std::vector<Place> areas;
  std::size_t end = 0;  // of the two lists, in the label's sector
};

// Behind pv_header's id and size: its data areas, an empty one, its metadata areas, an empty one.
Result<Places> areas_of(std::string_view label, std::size_t at, const std::filesystem::path& device) {
  Places places;
  for (int lists = 0; lists < 2; at += area_entry) {
    if (at + area_entry > label.size()) {
      return not_one(device);
    }
    const Place place{le64_at(label, at), le64_at(label, at + 8)};
    if (place.start == 0) {
      ++lists;
    } else if (lists == 1) {
      places.areas.push_back(place);
    }
  }
  places.end = at;
  return places;
}

// pv_header_extension: LVM writes one that is older, or does not say that the volume is in use, anew with its next
// change of the group (_text_pv_needs_rewrite).
bool has_full_label(std::string_view label, std::size_t at) {
  return at + 8 <= label.size() && le32_at(label, at) == extension_version &&
         (le32_at(label, at + 4) & extension_used) != 0;
}

// The header's second location holds a text that was written and not committed.
bool is_plain(std::string_view header) {
  return le32_at(header, 20) == area_version && le64_at(header, mda_location + mda_location_length) == 0 &&
         le64_at(header, mda_location + mda_location_length + 8) == 0;
}

Result<std::string> header_of_area(const Fd& disk, Place place, const std::filesystem::path& device) {
  std::string header = TRY(read_direct(disk, device, place.start, mda_header_length));
  if (header.compare(4, 16, std::string_view(" LVM2 x[5A%r0N*>")) != 0 || le64_at(header, 24) != place.start ||
      le64_at(header, 32) != place.size || place.size <= mda_header_length) {
    return not_one(device);
  }
  if (lvm_checksum(std::string_view(header).substr(4)) != le32_at(header, 0)) {
    return unsteady(device);
  }
  return header;
}

// Adds an area that is in use.
Result<void> read_area(const Fd& disk, Place place, LvmDisk& to) {
  LvmDisk::Area area;
  area.header = TRY(header_of_area(disk, place, to.device));
  area.start = place.start;
  area.size = place.size;
  area.offset = le64_at(area.header, mda_location);
  area.length = le64_at(area.header, mda_location + 8);
  if (area.offset == 0 || (le32_at(area.header, mda_location + 20) & ignored) != 0) {
    to.only_lvm = "it has a metadata area that is not in use";
    return {};
  }
  const std::uint64_t ring = place.size - mda_header_length;  // behind its header the area is one
  if (area.offset < mda_header_length || area.offset >= place.size || area.length > ring ||
      area.length > longest_text) {
    return not_one(to.device);
  }
  area.text = TRY(read_ring(disk, to.device, area.start, area.size, area.offset, area.length));
  if (lvm_checksum(area.text) != le32_at(area.header, mda_location + 16)) {
    return unsteady(to.device);
  }
  area.text.resize(std::strlen(area.text.c_str()));  // LVM writes the end of its string too
  area.free = lvm_area_free(area.size, area.length);
  if (!is_plain(area.header)) {
    to.only_lvm = "a change of it was cut off";
  }
  to.areas.push_back(std::move(area));
  return {};
}

// The identifiers of the group's physical volumes, as LVM writes them.
Result<std::vector<std::string>> disk_ids(std::string_view text, std::string_view group) {
  // That section stands before the volumes, which may be thousands.
  const std::string_view upto = text.substr(0, text.find("\nlogical_volumes {"));
  const LvmConfigNode root =
      TRY(parse_lvm_config(fmt::format("{}\n{}", upto, upto.size() < text.size() ? "}\n" : ""), group));
  const LvmConfigNode* found = root.find(group);
  const LvmConfigNode* disks = found == nullptr ? nullptr : found->find("physical_volumes");
  if (disks == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("that is no text of VG {}", group));
  }
  std::vector<std::string> ids;
  ids.reserve(disks->children.size());
  for (const LvmConfigNode& disk : disks->children) {
    ids.push_back(disk.text_of("id").value_or(""));
  }
  return ids;
}

class Agreement {
 public:
  Result<void> add(LvmDisk disk) {
    LvmGroupText& agreed = all_.agreed;
    for (LvmDisk::Area& area : disk.areas) {
      if (agreed.text.empty()) {
        agreed = {std::move(area.text), area.free};
      } else if (area.text != agreed.text) {
        return fail(ErrorCode::busy, "the disks of the group have different metadata");
      } else {
        agreed.area_free = std::min(agreed.area_free, area.free);
      }
      area.text = {};
    }
    all_.disks.push_back(std::move(disk));
    return {};
  }
  [[nodiscard]] bool saw(const std::string& id) const {
    return std::ranges::find(all_.disks, id, &LvmDisk::id) != all_.disks.end();
  }
  [[nodiscard]] std::size_t count() const { return all_.disks.size(); }
  [[nodiscard]] const std::string& text() const { return all_.agreed.text; }
  LvmGroupDisks take() { return std::move(all_); }

 private:
  LvmGroupDisks all_;
};

}  // namespace

Result<LvmDisk> read_lvm_disk(const std::filesystem::path& device) {
  const Fd fd = TRY(open_fd(device.string(), O_RDONLY | O_DIRECT));
  const std::string label = TRY(lvm_label_of(fd, device));
  const std::size_t header = le32_at(label, 20);
  if (header + id_length + 8 > label.size()) {
    return not_one(device);
  }
  LvmDisk disk{.device = device, .id = label.substr(header, id_length), .label = label, .areas = {}, .only_lvm = {}};
  const Places places = TRY(areas_of(label, header + id_length + 8, device));
  for (const Place place : places.areas) {
    TRY(read_area(fd, place, disk));
  }
  if (!has_full_label(label, places.end)) {
    disk.only_lvm = "its label is to be written anew";
  }
  return disk;
}

Result<LvmGroupDisks> read_group_disks(std::string_view group, std::span<const std::filesystem::path> disks,
                                       const std::filesystem::path& links) {
  Agreement agreement;
  for (const std::filesystem::path& disk : disks) {
    TRY(agreement.add(TRY(read_lvm_disk(disk))));
  }
  const std::vector<std::string> wanted = TRY(disk_ids(agreement.text(), group));
  for (const std::string& id : wanted) {
    if (!agreement.saw(without_dashes(id))) {
      TRY(agreement.add(TRY(read_lvm_disk(links / fmt::format("lvm-pv-uuid-{}", id)))));
    }
  }
  if (agreement.count() != wanted.size() ||
      !std::ranges::all_of(wanted, [&](const std::string& id) { return agreement.saw(without_dashes(id)); })) {
    return fail(ErrorCode::not_found, fmt::format("the disks of VG {} are not those that it names", group));
  }
  return agreement.take();
}

}  // namespace domsmith
