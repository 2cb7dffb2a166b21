#include "lvm-snapshots/lvm_disk.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "base/crc32.h"
#include "base/fd.h"
#include "lvm-snapshots/lvm_config.h"

namespace domsmith {

namespace {

constexpr std::size_t disk_sector = 512;
constexpr std::size_t label_sectors = 4;
constexpr std::size_t aligned_to = 4096;  // for O_DIRECT on every disk
constexpr std::size_t area_header = 512;
constexpr std::size_t id_length = 32;
constexpr std::uint32_t ignored = 1;  // RAW_LOCN_IGNORED
constexpr std::uint64_t longest_text = 512ULL << 20;

std::unexpected<Error> not_one(const std::filesystem::path& device) {
  return fail(ErrorCode::not_found, fmt::format("{} holds no physical volume of LVM", device.string()));
}

std::unexpected<Error> unsteady(const std::filesystem::path& device) {
  return fail(ErrorCode::busy, fmt::format("LVM's metadata on {} do not fit their checksum", device.string()));
}

constexpr std::uint32_t crc_start = 0xf597a6cf;  // INITIAL_CRC of lib/misc/crc.h

// On disk all numbers are little-endian.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = length; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}
std::uint64_t u64_at(std::string_view bytes, std::size_t at) { return number_at(bytes, at, 8); }
std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number_at(bytes, at, 4));
}

class Reader {
 public:
  static Result<Reader> open(const std::filesystem::path& device) {
    return Reader(TRY(open_fd(device.string(), O_RDONLY | O_DIRECT)), device);
  }

  Result<std::string> bytes(std::uint64_t offset, std::size_t length) const {
    const std::uint64_t from = offset / aligned_to * aligned_to;
    const std::uint64_t end = (offset + length + aligned_to - 1) / aligned_to * aligned_to;
    struct Free {
      void operator()(void* memory) const { std::free(memory); }
    };
    const std::unique_ptr<void, Free> memory(std::aligned_alloc(aligned_to, end - from));
    if (!memory) {
      return fail(ErrorCode::failed, fmt::format("no memory for the metadata on {}", device_.string()));
    }
    const std::span all(static_cast<std::byte*>(memory.get()), end - from);
    const std::size_t read = TRY(pread_some(fd_.get(), from, all));
    if (read < offset - from + length) {
      return not_one(device_);
    }
    return std::string(reinterpret_cast<const char*>(all.data()) + (offset - from), length);
  }

 private:
  Reader(Fd fd, std::filesystem::path device) : fd_(std::move(fd)), device_(std::move(device)) {}
  Fd fd_;
  std::filesystem::path device_;
};

// The sector of label_header, which the first four are searched for.
Result<std::string> label_of(const Reader& reader, const std::filesystem::path& device) {
  const std::string head = TRY(reader.bytes(0, disk_sector * label_sectors));
  for (std::size_t i = 0; i < label_sectors; ++i) {
    const std::string label = head.substr(i * disk_sector, disk_sector);
    if (label.starts_with("LABELONE") && label.compare(24, 8, "LVM2 001") == 0 && u64_at(label, 8) == i &&
        crc32_register(crc_start, std::string_view(label).substr(20)) == u32_at(label, 16)) {
      return label;
    }
  }
  return not_one(device);
}

struct Place {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

// Behind pv_header's id and size: its data areas, an empty one, its metadata areas, an empty one.
Result<std::vector<Place>> areas_of(std::string_view label, std::size_t at, const std::filesystem::path& device) {
  static constexpr std::size_t entry = 16;
  std::vector<Place> areas;
  for (int lists = 0; lists < 2; at += entry) {
    if (at + entry > label.size()) {
      return not_one(device);
    }
    const Place place{u64_at(label, at), u64_at(label, at + 8)};
    if (place.start == 0) {
      ++lists;
    } else if (lists == 1) {
      areas.push_back(place);
    }
  }
  return areas;
}

// nullopt: the area is not in use, or no group's.
Result<std::optional<LvmDisk::Area>> read_area(const Reader& reader, Place place, const std::filesystem::path& device) {
  static constexpr std::size_t first_location = 40;  // checksum, magic, version, start, size
  const std::string header = TRY(reader.bytes(place.start, area_header));
  if (header.compare(4, 16, std::string_view(" LVM2 x[5A%r0N*>")) != 0 || u64_at(header, 24) != place.start ||
      u64_at(header, 32) != place.size || place.size <= area_header) {
    return not_one(device);
  }
  if (crc32_register(crc_start, std::string_view(header).substr(4)) != u32_at(header, 0)) {
    return unsteady(device);
  }
  const std::uint64_t offset = u64_at(header, first_location);
  const std::uint64_t size = u64_at(header, first_location + 8);
  if (offset == 0 || (u32_at(header, first_location + 20) & ignored) != 0) {
    return std::optional<LvmDisk::Area>();
  }
  const std::uint64_t ring = place.size - area_header;  // behind its header the area is one
  if (offset < area_header || offset >= place.size || size > ring || size > longest_text) {
    return not_one(device);
  }
  const std::uint64_t first = std::min(size, place.size - offset);
  LvmDisk::Area area;
  area.text = TRY(reader.bytes(place.start + offset, first));
  if (first < size) {
    area.text += TRY(reader.bytes(place.start + area_header, size - first));
  }
  if (crc32_register(crc_start, area.text) != u32_at(header, first_location + 16)) {
    return unsteady(device);
  }
  area.text.resize(std::strlen(area.text.c_str()));  // LVM writes the end of its string too
  // A new text stands beside the old one, so a text may have half of the ring, less a sector (vgs of 2.03.16 shows it).
  const std::uint64_t used = size + disk_sector;
  area.free = used >= ring / 2 ? 0 : (ring / 2 - used) / disk_sector * disk_sector;
  return area;
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
  for (const LvmConfigNode& disk : disks->children) {
    ids.push_back(disk.text_of("id").value_or(""));
  }
  return ids;
}

class Agreement {
 public:
  Result<void> add(LvmDisk disk) {
    for (LvmDisk::Area& area : disk.areas) {
      if (all_.text.empty()) {
        all_ = {std::move(area.text), area.free};
      } else if (area.text != all_.text) {
        return fail(ErrorCode::busy, "the disks of the group have different metadata");
      } else {
        all_.area_free = std::min(all_.area_free, area.free);
      }
    }
    seen_.push_back(std::move(disk.id));
    return {};
  }
  [[nodiscard]] bool saw(const std::string& id) const { return std::ranges::find(seen_, id) != seen_.end(); }
  [[nodiscard]] std::size_t count() const { return seen_.size(); }
  [[nodiscard]] const std::string& text() const { return all_.text; }
  LvmGroupText take() { return std::move(all_); }

 private:
  LvmGroupText all_;
  std::vector<std::string> seen_;
};

}  // namespace

Result<LvmDisk> read_lvm_disk(const std::filesystem::path& device) {
  const Reader reader = TRY(Reader::open(device));
  const std::string label = TRY(label_of(reader, device));
  const std::size_t header = u32_at(label, 20);
  if (header + id_length + 8 > label.size()) {
    return not_one(device);
  }
  LvmDisk disk{.id = label.substr(header, id_length), .areas = {}};
  for (const Place place : TRY(areas_of(label, header + id_length + 8, device))) {
    if (auto area = TRY(read_area(reader, place, device))) {
      disk.areas.push_back(std::move(*area));
    }
  }
  return disk;
}

Result<LvmGroupText> read_group_text(std::string_view group, std::span<const std::filesystem::path> disks,
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
