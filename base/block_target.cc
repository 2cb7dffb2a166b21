#include "base/block_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "base/direct_buffer.h"
#include "base/interrupt.h"
#include "base/progress.h"

namespace domsmith {

Result<void> check_range(const BlockTarget& target, std::uint64_t offset, std::uint64_t length) {
  if (offset > target.size() || length > target.size() - offset) {
    return fail(ErrorCode::failed,
                fmt::format("{}: bytes {}+{} lie past its end at {}", target.name(), offset, length, target.size()));
  }
  return {};
}

namespace {

bool all_zero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

constexpr std::size_t page_bytes = DirectBuffer::alignment;

class FdTarget final : public BlockTarget {
 public:
  FdTarget(Fd fd, std::string name, std::uint64_t size, bool device, Discards discards = Discards::anything)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size), device_(device), discards_(discards) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::string name() const override { return name_; }

  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    TRY(check_range(*this, offset, into.size()));
    const std::size_t got = TRY_AS(pread_some(fd_.get(), offset, into), fmt::format("cannot read {}", name_));
    std::memset(into.data() + got, 0, into.size() - got);
    return {};
  }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    TRY(check_range(*this, offset, from.size()));
    TRY_AS(pwrite_all(fd_.get(), offset, from), fmt::format("cannot write {}", name_));
    return {};
  }

  Result<void> write_once(std::uint64_t offset, std::span<const std::byte> from) override {
    TRY(check_range(*this, offset, from.size()));
    const auto whole = [](std::uint64_t number) { return number % page_bytes == 0; };
    if (!device_ || !whole(offset) || !whole(from.size()) || !whole(reinterpret_cast<std::uintptr_t>(from.data()))) {
      return write(offset, from);
    }
    if (!direct_) {
      // Another open file: the pages that are written here are taken out of the cache that both have (open(2),
      // O_DIRECT).
      auto again = open_fd(fmt::format("/proc/self/fd/{}", fd_.get()), O_WRONLY | O_DIRECT);
      if (!again) {
        return write(offset, from);
      }
      direct_ = std::move(*again);
    }
    TRY_AS(pwrite_all(direct_.get(), offset, from), fmt::format("cannot write {}", name_));
    return {};
  }

  Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(*this, offset, length));
    if (length == 0) {
      return {};
    }
    if (!device_) {
      return discard_sectors(offset, length);
    }
    const std::uint64_t first = (offset + page_bytes - 1) / page_bytes * page_bytes;
    const std::uint64_t last = (offset + length) / page_bytes * page_bytes;
    if (first >= last) {
      return write_zeroes(offset, length);
    }
    TRY(write_zeroes(offset, first - offset));
    TRY(discard_sectors(first, last - first));
    return write_zeroes(last, offset + length - last);
  }

  Result<void> flush() override {
    if (::fsync(fd_.get()) != 0) {
      return fail_errno(fmt::format("cannot sync {}", name_), errno);
    }
    return {};
  }

  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override {
    if (offset >= size_) {
      return std::nullopt;
    }
    if (device_) {
      return ByteRange{offset, size_ - offset};
    }
    const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) {
        return std::nullopt;
      }
      return ByteRange{offset, size_ - offset};  // a file system without SEEK_DATA
    }
    const off_t hole = ::lseek(fd_.get(), data, SEEK_HOLE);
    if (hole < 0) {
      return fail_errno(fmt::format("cannot look for holes in {}", name_), errno);
    }
    return ByteRange{static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)};
  }

 private:
  Result<void> discard_sectors(std::uint64_t offset, std::uint64_t length) {
    // Punching is defined to read as zeroes for files and, since Linux 4.9, for block devices too (fallocate(2)).
    if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) == 0) {
      return {};
    }
    if (errno != EOPNOTSUPP && errno != ENODEV) {
      return fail_errno(fmt::format("cannot discard in {}", name_), errno);
    }
    return discards_ == Discards::unmap ? unmap(offset, length) : write_zeroes(offset, length);
  }

  Result<void> unmap(std::uint64_t offset, std::uint64_t length) {
    std::array<std::uint64_t, 2> range = {offset, length};
    if (::ioctl(fd_.get(), BLKDISCARD, range.data()) != 0 && errno != EOPNOTSUPP) {
      return fail_errno(fmt::format("cannot discard in {}", name_), errno);
    }
    static constexpr std::uint64_t piece = 65536;
    std::vector<std::byte> buffer(16 * piece);
    while (length > 0) {
      const std::span part = std::span(buffer).first(std::min<std::uint64_t>(length, buffer.size()));
      TRY(read(offset, part));
      for (std::size_t at = 0; at < part.size(); at += piece) {
        const auto some = part.subspan(at, std::min<std::size_t>(piece, part.size() - at));
        if (!all_zero(some)) {
          TRY(write_zeroes(offset + at, some.size()));
        }
      }
      offset += part.size();
      length -= part.size();
    }
    return {};
  }

  Result<void> write_zeroes(std::uint64_t offset, std::uint64_t length) {
    static const std::vector<std::byte> zeroes(1U << 20);
    while (length > 0) {
      const auto part = std::min<std::uint64_t>(length, zeroes.size());
      TRY(pwrite_all(fd_.get(), offset, std::span(zeroes).first(static_cast<std::size_t>(part))));
      offset += part;
      length -= part;
    }
    return {};
  }

  Fd fd_;
  Fd direct_;  // of a device, when it was needed
  std::string name_;
  std::uint64_t size_;
  bool device_;
  Discards discards_;
};

class MemoryTarget final : public BlockTarget {
 public:
  MemoryTarget(std::uint64_t size, std::string name) : size_(size), name_(std::move(name)) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::string name() const override { return name_; }

  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    TRY(check_range(*this, offset, into.size()));
    each_page(offset, into.size(), [&](std::uint64_t page, std::size_t from, std::size_t at, std::size_t count) {
      const auto it = pages_.find(page);
      if (it == pages_.end()) {
        std::memset(into.data() + at, 0, count);
      } else {
        std::memcpy(into.data() + at, it->second.data() + from, count);
      }
    });
    return {};
  }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    TRY(check_range(*this, offset, bytes.size()));
    each_page(offset, bytes.size(), [&](std::uint64_t page, std::size_t from, std::size_t at, std::size_t count) {
      std::vector<std::byte>& held = pages_[page];
      held.resize(page_size);
      std::memcpy(held.data() + from, bytes.data() + at, count);
    });
    return {};
  }

  Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(*this, offset, length));
    each_page(offset, length, [&](std::uint64_t page, std::size_t from, std::size_t, std::size_t count) {
      const auto it = pages_.find(page);
      if (it == pages_.end()) {
        return;
      }
      if (count == page_size) {
        pages_.erase(it);
      } else {
        std::memset(it->second.data() + from, 0, count);
      }
    });
    return {};
  }

  Result<void> flush() override { return {}; }

  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override {
    auto it = pages_.lower_bound(offset / page_size);
    if (it == pages_.end() || offset >= size_) {
      return std::nullopt;
    }
    const std::uint64_t begin = std::max(offset, it->first * page_size);
    std::uint64_t page = it->first;
    while (it != pages_.end() && it->first == page) {
      ++it;
      ++page;
    }
    return ByteRange{begin, std::min(page * page_size, size_) - begin};
  }

 private:
  static constexpr std::size_t page_size = 4096;

  template <class Visit>
  static void each_page(std::uint64_t offset, std::uint64_t length, Visit visit) {
    for (std::uint64_t at = 0; at < length;) {
      const std::uint64_t page = (offset + at) / page_size;
      const std::size_t from = (offset + at) % page_size;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(page_size - from, length - at));
      visit(page, from, static_cast<std::size_t>(at), count);
      at += count;
    }
  }

  std::uint64_t size_;
  std::string name_;
  std::map<std::uint64_t, std::vector<std::byte>> pages_;
};

Result<std::unique_ptr<BlockTarget>> target_of(Fd fd, std::string name, Discards discards) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return fail_errno(fmt::format("cannot look at {}", name), errno);
  }
  if (S_ISREG(info.st_mode)) {
    return std::make_unique<FdTarget>(std::move(fd), std::move(name), static_cast<std::uint64_t>(info.st_size), false);
  }
  if (!S_ISBLK(info.st_mode)) {
    return fail(ErrorCode::bad_input, fmt::format("{} is neither a regular file nor a block device", name));
  }
  std::uint64_t size = 0;
  if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) {
    return fail_errno(fmt::format("cannot tell the size of {}", name), errno);
  }
  return std::make_unique<FdTarget>(std::move(fd), std::move(name), size, true, discards);
}

}  // namespace

Result<std::unique_ptr<BlockTarget>> block_target_of(Fd fd, std::string name) {
  return target_of(std::move(fd), std::move(name), Discards::anything);
}

Result<std::unique_ptr<BlockTarget>> open_block_target(const std::string& path, Access access, Discards discards) {
  Fd fd = TRY(open_fd(path, access == Access::read_only ? O_RDONLY : O_RDWR));
  return target_of(std::move(fd), path, discards);
}

std::unique_ptr<BlockTarget> memory_target(std::uint64_t size, std::string name) {
  return std::make_unique<MemoryTarget>(size, std::move(name));
}

namespace {

// What is not zero, in as few writes as can be; `block` is the smallest hole.
Result<std::uint64_t> write_pieces(BlockTarget& to, std::uint64_t offset, std::span<const std::byte> bytes,
                                   std::size_t block) {
  const auto holds = [&](std::size_t i) { return !all_zero(bytes.subspan(i, std::min(block, bytes.size() - i))); };
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < bytes.size(); i += block) {
    const std::size_t from = i;
    while (i < bytes.size() && holds(i)) {
      i += block;
    }
    if (const std::size_t length = std::min(i, bytes.size()) - from; length > 0) {
      TRY(to.write_once(offset + from, bytes.subspan(from, length)));
      written += length;
    }
  }
  return written;
}

}  // namespace

Result<std::uint64_t> copy_sparse(BlockTarget& from, BlockTarget& to, ByteRange range) {
  static constexpr std::size_t block = 65536;
  static constexpr std::size_t room = 16 * block;
  const DirectBuffer buffer = TRY(DirectBuffer::of(room));
  const std::uint64_t end = range.offset + range.length;
  std::uint64_t written = 0;
  for (std::uint64_t at = range.offset; at < end;) {
    TRY(check_interrupted());
    const std::optional<ByteRange> data = TRY(from.next_data(at));
    if (!data || data->offset >= end) {
      break;
    }
    at = std::max(at, data->offset);
    const std::uint64_t stop = std::min(end, data->offset + data->length);
    const std::span part = buffer.all().first(std::min<std::uint64_t>(room, stop - at));
    TRY(from.read(at, part));
    written += TRY(write_pieces(to, at, part, block));
    at += part.size();
  }
  return written;
}

}  // namespace domsmith
