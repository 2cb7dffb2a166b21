// An owned file descriptor, and reads and writes that go on after EINTR and short counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace domsmith {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added. `mode` matters with O_CREAT only.
Result<Fd> open_fd(const std::string& path, int flags, unsigned mode = 0666);

// Reads until the span is full or the end of the file; returns the bytes read.
Result<std::size_t> read_some(int fd, std::span<std::byte> into);
Result<void> read_exactly(int fd, std::span<std::byte> into);
Result<void> write_all(int fd, std::span<const std::byte> from);
Result<void> write_all(int fd, std::string_view from);
Result<std::size_t> pread_some(int fd, std::uint64_t offset, std::span<std::byte> into);
Result<void> pwrite_all(int fd, std::uint64_t offset, std::span<const std::byte> from);

}  // namespace domsmith
