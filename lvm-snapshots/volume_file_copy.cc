// The copying half of volume_file.h.
//
// Writes go past the page cache (O_DIRECT) where the file system allows it: a hundred clones would otherwise push
// everything else out of memory, and are written to the disk anyway before they become visible. Measured on ext4:
// 1.6-2.2 GB/s, against 0.8-1.7 GB/s by copy_file_range(2).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "base/interrupt.h"
#include "lvm-snapshots/volume_file.h"

namespace domsmith {

namespace {

constexpr std::size_t alignment = 4096;
constexpr std::size_t chunk = 4U << 20;

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{alignment}); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

AlignedBytes aligned_chunk() {
  return AlignedBytes(static_cast<std::byte*>(::operator new[](chunk, std::align_val_t{alignment})));
}

void set_direct(int fd, bool direct) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) {
    (void)::fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT);  // refused (tmpfs): plain writes
  }
}

// O_DIRECT takes whole blocks only, and not every file system says so before the first write.
Result<void> write_part(int fd, std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.size() % alignment != 0 || offset % alignment != 0) {
    set_direct(fd, false);
    return pwrite_all(fd, offset, bytes);
  }
  ssize_t written = 0;
  do {
    written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(bytes.size())) {
    return {};
  }
  if (written < 0 && errno != EINVAL) {
    return fail_errno("cannot write", errno);
  }
  set_direct(fd, false);
  return pwrite_all(fd, offset, bytes);
}

// The file is a golden image or sealed just now: nobody shortens it.
Result<void> read_part(int fd, std::uint64_t offset, std::span<std::byte> into) {
  if (TRY(pread_some(fd, offset, into)) != into.size()) {
    return fail(ErrorCode::failed, "a volume became shorter while it was read");
  }
  return {};
}

Result<void> copy_range(int from, int to, ByteRange range, std::span<std::byte> buffer) {
  // Room for all of it at once: fewer extents, and a full disk is noticed before anything is written.
  if (::fallocate(to, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(range.offset), static_cast<off_t>(range.length)) != 0 &&
      errno != EOPNOTSUPP && errno != EINTR) {
    return fail_errno("cannot get room for a copy", errno);
  }
  for (std::uint64_t done = 0; done < range.length;) {
    TRY(check_interrupted());
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.length - done));
    TRY(read_part(from, range.offset + done, buffer.first(count)));
    TRY(write_part(to, range.offset + done, buffer.first(count)));
    done += count;
  }
  return {};
}

// The next allocated range at or behind `offset`, widened to whole blocks inside the file.
Result<std::optional<ByteRange>> next_range(int fd, std::uint64_t offset, std::uint64_t size) {
  const off_t data = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    if (errno == ENXIO) {
      return std::nullopt;
    }
    if (errno != EINVAL && errno != EOPNOTSUPP) {
      return fail_errno("cannot look for data", errno);
    }
    return offset < size ? std::optional(ByteRange{offset, size - offset}) : std::nullopt;
  }
  const off_t hole = ::lseek(fd, data, SEEK_HOLE);
  if (hole < 0) {
    return fail_errno("cannot look for holes", errno);
  }
  return ByteRange{static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)};
}

Result<std::uint64_t> size_of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) {
    return fail_errno("cannot look at a volume's file", errno);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

bool all_zero(std::span<const std::byte> bytes) {
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

Result<void> punch(int fd, std::uint64_t begin, std::uint64_t end) {
  if (end > begin &&
      ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                  static_cast<off_t>(end - begin)) != 0 &&
      errno != EOPNOTSUPP) {
    return fail_errno("cannot give zero blocks back", errno);
  }
  return {};
}

// Punches the runs of zero blocks in one allocated range.
Result<void> dig_range(int fd, ByteRange range, std::span<std::byte> buffer) {
  static constexpr std::uint64_t grain = 65536;
  std::uint64_t zero_from = range.offset;
  const std::uint64_t end = range.offset + range.length;
  for (std::uint64_t at = range.offset; at < end;) {
    TRY(check_interrupted());
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - at));
    TRY(read_part(fd, at, buffer.first(count)));
    for (std::size_t i = 0; i < count; i += grain) {
      const auto piece = buffer.first(count).subspan(i, std::min<std::size_t>(grain, count - i));
      if (!all_zero(piece)) {
        TRY(punch(fd, zero_from, at + i));
        zero_from = at + i + piece.size();
      }
    }
    at += count;
  }
  return punch(fd, zero_from, end);
}

}  // namespace

Result<void> copy_used(int from, int to) {
  const std::uint64_t size = TRY(size_of(from));
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) {
    return fail_errno("cannot set the size of a copy", errno);
  }
  const AlignedBytes buffer = aligned_chunk();
  set_direct(to, true);
  std::optional<ByteRange> range = TRY(next_range(from, 0, size));
  while (range) {
    TRY(copy_range(from, to, *range, {buffer.get(), chunk}));
    range = TRY(next_range(from, range->offset + range->length, size));
  }
  return {};
}

Result<void> dig_holes(int fd) {
  const std::uint64_t size = TRY(size_of(fd));
  const AlignedBytes buffer = aligned_chunk();
  std::optional<ByteRange> range = TRY(next_range(fd, 0, size));
  while (range) {
    TRY(dig_range(fd, *range, {buffer.get(), chunk}));
    range = TRY(next_range(fd, range->offset + range->length, size));
  }
  return {};
}

}  // namespace domsmith
