#include "lvm-snapshots/lvm_disk_write.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/direct_buffer.h"
#include "base/fail_point.h"
#include "base/fd.h"
#include "base/log.h"
#include "lvm-snapshots/lvm_disk_format.h"

namespace domsmith {

namespace {

std::uint64_t whole_sectors(std::uint64_t length) { return (length + mda_sector - 1) / mda_sector * mda_sector; }

// Of a text and the zero that ends it.
std::uint64_t length_on_disk(std::string_view text) { return text.size() + 1; }

// LVM's choice (_next_rlocn_offset): behind the old text, in the next sector; at the ring's beginning where less than a
// sector is left.
std::uint64_t next_offset(const LvmDisk::Area& area) {
  std::uint64_t end = area.offset + area.length;
  if (end > area.size) {
    end = end - area.size + mda_header_length;
  }
  const std::uint64_t next = whole_sectors(end);
  return next + mda_sector > area.size ? mda_header_length : next;
}

// Whether the sectors of a new text are none of the old one's.
bool stands_clear(const LvmDisk::Area& area, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t ring = area.size - mda_header_length;
  const std::uint64_t before = (area.offset / mda_sector * mda_sector + ring - offset) % ring;  // from new to old
  return whole_sectors(length) <= before;
}

std::string area_obstacle(const LvmDisk::Area& area, std::uint64_t length) {
  const std::uint64_t ring = area.size - mda_header_length;
  if (area.start % mda_sector != 0 || area.size % mda_sector != 0) {
    return "a metadata area is not made of sectors";
  }
  if (ring / 2 < mda_sector || length > ring / 2 - mda_sector || !stands_clear(area, next_offset(area), length)) {
    return "a metadata area is too small";
  }
  return {};
}

// A disk takes whole blocks of its own.
class BlockWriter {
 public:
  static Result<BlockWriter> open(const std::filesystem::path& device) {
    Fd fd = TRY(open_fd(device.string(), O_RDWR | O_DIRECT));
    int block = 0;
    if (::ioctl(fd.get(), BLKSSZGET, &block) != 0) {
      block = DirectBuffer::alignment;  // a file
    }
    return BlockWriter(std::move(fd), device, static_cast<std::uint64_t>(block));
  }

  // What else is in the first and the last block is written as it was.
  Result<void> write(std::uint64_t offset, std::string_view bytes) const {
    const std::uint64_t from = offset / block_ * block_;
    const std::uint64_t end = (offset + bytes.size() + block_ - 1) / block_ * block_;
    static constexpr std::size_t unit = DirectBuffer::alignment;
    const DirectBuffer memory = TRY(DirectBuffer::of((end - from + unit - 1) / unit * unit));
    const std::span<std::byte> all = memory.all().first(end - from);
    for (const std::uint64_t edge : {std::uint64_t{0}, end - from - block_}) {
      const std::string there = TRY(read_direct(fd_, device_, from + edge, block_));
      std::memcpy(all.data() + edge, there.data(), block_);
    }
    std::memcpy(all.data() + (offset - from), bytes.data(), bytes.size());
    return pwrite_all(fd_.get(), from, all);
  }

  Result<void> flush() const {
    if (::fdatasync(fd_.get()) != 0) {
      return fail_errno(fmt::format("cannot have {} keep LVM's metadata", device_.string()), errno);
    }
    return {};
  }

  [[nodiscard]] const Fd& fd() const { return fd_; }
  [[nodiscard]] const std::filesystem::path& device() const { return device_; }

 private:
  BlockWriter(Fd fd, std::filesystem::path device, std::uint64_t block)
      : fd_(std::move(fd)), device_(std::move(device)), block_(block) {}
  Fd fd_;
  std::filesystem::path device_;
  std::uint64_t block_;
};

// The text with zeros to the end of its last sector, beside the old one; read back, so that nothing is ever committed
// that is not there.
Result<void> write_text(const BlockWriter& disk, const LvmDisk::Area& area, const std::string& sectors) {
  const std::uint64_t offset = area.offset;
  const std::uint64_t first = std::min<std::uint64_t>(sectors.size(), area.size - offset);
  TRY(disk.write(area.start + offset, std::string_view(sectors).substr(0, first)));
  if (first < sectors.size()) {
    TRY(disk.write(area.start + mda_header_length, std::string_view(sectors).substr(first)));
  }
  const std::string back = TRY(read_ring(disk.fd(), disk.device(), area.start, area.size, offset, area.length));
  if (back != std::string_view(sectors).substr(0, area.length)) {
    return fail(ErrorCode::failed, fmt::format("{} does not hold what was written to it", disk.device().string()));
  }
  return fail_point("lvm.write.text");
}

// The area's header with the new text's place in its first location, and none in its second.
std::string new_header(const LvmDisk::Area& area, std::uint64_t length, std::uint32_t checksum) {
  std::string header = area.header;
  put_le64(header, mda_location, next_offset(area));
  put_le64(header, mda_location + 8, length);
  put_le32(header, mda_location + 16, checksum);
  for (std::size_t i = 0; i < 20; i += 4) {  // its flags are not touched
    put_le32(header, mda_location + mda_location_length + i, 0);
  }
  put_le32(header, 0, lvm_checksum(std::string_view(header).substr(4)));
  return header;
}

Result<void> write_pointer(const BlockWriter& disk, const LvmDisk::Area& area) {
  TRY(fail_point("lvm.write.before"));
  TRY(disk.write(area.start, area.header));
  TRY(fail_point("lvm.write.pointer"));
  TRY(disk.flush());
  return fail_point("lvm.write.area");
}

}  // namespace

Result<LvmGroupWriter> LvmGroupWriter::of(std::string_view group, const LvmGroupDisks& seen,
                                          std::span<const std::filesystem::path> disks) {
  for (const LvmDisk& disk : seen.disks) {
    if (std::ranges::find(disks, disk.device) == disks.end()) {
      return fail(ErrorCode::not_found, fmt::format("no active device stands on {}", disk.device.string()));
    }
  }
  return LvmGroupWriter(std::string(group), seen);
}

std::string LvmGroupWriter::obstacle(std::string_view text) const {
  for (const std::string_view each : {std::string_view(seen_.agreed.text), text}) {
    if (!each.starts_with(fmt::format("{} {{\n", group_))) {
      return "its text does not begin as LVM's does";
    }
    if (each.find("\nmetadata_copies = 0\n") == std::string_view::npos) {
      return "LVM manages the number of its metadata areas";
    }
    if (each.find("\nsystem_id = ") != std::string_view::npos) {
      return "it belongs to one host";
    }
  }
  for (const LvmDisk& disk : seen_.disks) {
    if (!disk.only_lvm.empty()) {
      return fmt::format("{}: {}", disk.device.string(), disk.only_lvm);
    }
    for (const LvmDisk::Area& area : disk.areas) {
      if (std::string why = area_obstacle(area, length_on_disk(text)); !why.empty()) {
        return fmt::format("{}: {}", disk.device.string(), why);
      }
    }
  }
  return {};
}

LvmGroupDisks LvmGroupWriter::after(std::string_view text) const {
  const std::uint64_t length = length_on_disk(text);
  LvmGroupDisks now{.agreed = {.text = std::string(text), .area_free = UINT64_MAX}, .disks = seen_.disks};
  const std::uint32_t checksum = lvm_checksum(std::string_view(now.agreed.text.c_str(), length));
  for (LvmDisk& disk : now.disks) {
    for (LvmDisk::Area& area : disk.areas) {
      area.header = new_header(area, length, checksum);
      area.offset = next_offset(area);
      area.length = length;
      area.free = lvm_area_free(area.size, length);
      now.agreed.area_free = std::min(now.agreed.area_free, area.free);
    }
  }
  return now;
}

Result<LvmGroupDisks> LvmGroupWriter::write(std::string_view text) const {
  LvmGroupDisks now = after(text);
  std::string sectors(text);
  sectors.resize(whole_sectors(length_on_disk(text)), '\0');
  std::vector<std::pair<BlockWriter, const LvmDisk*>> writers;
  for (const LvmDisk& disk : now.disks) {
    if (!disk.areas.empty()) {
      writers.emplace_back(TRY(BlockWriter::open(disk.device)), &disk);
    }
  }
  for (const auto& [writer, disk] : writers) {
    for (const LvmDisk::Area& area : disk->areas) {
      TRY(write_text(writer, area, sectors));
    }
    TRY(writer.flush());
  }
  TRY(fail_point("lvm.write.flushed"));
  std::size_t good = 0;
  Result<void> failed;
  for (const auto& [writer, disk] : writers) {
    for (const LvmDisk::Area& area : disk->areas) {
      const auto written = write_pointer(writer, area);
      good += written ? 1 : 0;
      failed = written ? failed : written;
    }
  }
  if (!failed && good > 0) {
    log_info(fmt::format("VG {}: {}; LVM will bring that disk up to the others", group_, failed.error().what));
  }
  return good > 0 ? Result<LvmGroupDisks>(std::move(now)) : std::unexpected(std::move(failed).error());
}

}  // namespace domsmith
