#include "base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace domsmith {

void Fd::reset() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

Result<Fd> open_fd(const std::string& path, int flags, unsigned mode) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) {
      return Fd(fd);
    }
    if (errno != EINTR) {
      return fail_errno(fmt::format("cannot open {}", path), errno);
    }
  }
}

Result<std::size_t> read_some(int fd, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
    if (n == 0) {
      break;
    }
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      return fail_errno("cannot read", errno);
    }
  }
  return done;
}

Result<void> read_exactly(int fd, std::span<std::byte> into) {
  const std::size_t got = TRY(read_some(fd, into));
  if (got != into.size()) {
    return fail(ErrorCode::failed, fmt::format("the data ends after {} of {} bytes", got, into.size()));
  }
  return {};
}

Result<void> write_all(int fd, std::span<const std::byte> from) {
  while (!from.empty()) {
    const ssize_t n = ::write(fd, from.data(), from.size());
    if (n >= 0) {
      from = from.subspan(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      return fail_errno("cannot write", errno);
    }
  }
  return {};
}

Result<void> write_all(int fd, std::string_view from) { return write_all(fd, std::as_bytes(std::span(from))); }

Result<std::size_t> pread_some(int fd, std::uint64_t offset, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) {
      break;
    }
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      return fail_errno("cannot read", errno);
    }
  }
  return done;
}

Result<void> pwrite_all(int fd, std::uint64_t offset, std::span<const std::byte> from) {
  while (!from.empty()) {
    const ssize_t n = ::pwrite(fd, from.data(), from.size(), static_cast<off_t>(offset));
    if (n >= 0) {
      from = from.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    } else if (errno != EINTR) {
      return fail_errno("cannot write", errno);
    }
  }
  return {};
}

}  // namespace domsmith
