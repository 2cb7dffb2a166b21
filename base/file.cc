#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/crypto.h"
#include "base/interrupt.h"

namespace domsmith {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path, std::uint64_t limit) {
  const std::string headline = fmt::format("cannot read {}", path.string());
  const Fd fd = TRY(open_fd(path.string(), O_RDONLY));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return fail_errno(headline, errno);
  }
  if (S_ISDIR(info.st_mode)) {
    return fail_errno(headline, EISDIR);
  }
  std::string bytes;
  // At once where that can be: there are thousands of configs. (sysfs calls each of its files a page long.)
  if (const auto size = static_cast<std::uint64_t>(info.st_size); S_ISREG(info.st_mode) && size > 0 && size <= limit) {
    bytes.resize(size);
    bytes.resize(TRY_AS(read_some(fd.get(), std::as_writable_bytes(std::span(bytes))), headline));
    return bytes;
  }
  std::array<char, 65536> buffer{};
  for (;;) {
    const std::size_t got = TRY_AS(read_some(fd.get(), std::as_writable_bytes(std::span(buffer))), headline);
    if (bytes.size() + got > limit) {
      return fail(ErrorCode::bad_input, fmt::format("{} is longer than {} bytes", path.string(), limit));
    }
    bytes.append(buffer.data(), got);
    if (got < buffer.size()) {
      return bytes;
    }
  }
}

Result<void> sync_directory(const fs::path& path) {
  const Fd fd = TRY(open_fd(path.empty() ? std::string(".") : path.string(), O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync {}", path.string()), errno);
  }
  return {};
}

namespace {

// Unique among the processes and threads of this host; O_EXCL guards the rest.
std::string temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}/.{}.{}.{}.new", path.parent_path().empty() ? "." : path.parent_path().string(),
                     path.filename().string(), ::getpid(), counter++);
}

Result<void> fill_and_rename(const Fd& fd, const std::string& temporary, const fs::path& path, std::string_view bytes,
                             unsigned mode, bool flush) {
  TRY(write_all(fd.get(), bytes));
  if (::fchmod(fd.get(), mode) != 0) {
    return fail_errno("cannot set its mode", errno);
  }
  if (flush && ::fsync(fd.get()) != 0) {
    return fail_errno("cannot sync it", errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail_errno("cannot put it in place", errno);
  }
  return flush ? sync_directory(path.parent_path()) : Result<void>();
}

Result<void> write_file(const fs::path& path, std::string_view bytes, unsigned mode, bool flush) {
  const std::string headline = fmt::format("cannot write {}", path.string());
  if (!path.parent_path().empty()) {
    TRY_AS(make_directories(path.parent_path()), headline);
  }
  const std::string temporary = temporary_name(path);
  ::unlink(temporary.c_str());  // left by a dead process whose id this one has now
  const Fd fd = TRY_AS(open_fd(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600), headline);
  auto written = fill_and_rename(fd, temporary, path, bytes, mode, flush);
  if (!written) {
    ::unlink(temporary.c_str());
    return wrap(std::move(written).error(), headline);
  }
  return {};
}

}  // namespace

Result<std::string> sha256_of(int fd) {
  Sha256 digest;
  std::vector<std::byte> buffer(256U << 10);
  for (std::uint64_t at = 0;;) {
    const std::size_t got = TRY(pread_some(fd, at, buffer));
    if (got == 0) {
      return digest.hex();
    }
    digest.update(std::span<const std::byte>(buffer).first(got));
    at += got;
  }
}

Result<std::string> sha256_of_file(const fs::path& path) {
  const Fd fd = TRY(open_fd(path.string(), O_RDONLY));
  return TRY_AS(sha256_of(fd.get()), fmt::format("cannot read {}", path.string()));
}

Result<void> write_file_atomic(const fs::path& path, std::string_view bytes, unsigned mode) {
  return write_file(path, bytes, mode, true);
}

Result<void> write_file_unflushed(const fs::path& path, std::string_view bytes, unsigned mode) {
  return write_file(path, bytes, mode, false);
}

Result<void> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail_errno(fmt::format("cannot remove {}", path.string()), errno);
  }
  return {};
}

Result<void> make_directories(const fs::path& path, unsigned mode) {
  if (path.empty() || fs::is_directory(path)) {
    return {};
  }
  TRY(make_directories(path.parent_path(), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make folder {}", path.string()), errno);
  }
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::make(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = fmt::format("{}/{}XXXXXX", base != nullptr && *base != '\0' ? base : "/tmp", prefix);
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail_errno(fmt::format("cannot make a temporary folder like {}", pattern), errno);
  }
  return TemporaryDirectory(pattern);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}

namespace {

Result<Fd> locked(const fs::path& path, FileLock::Mode mode, int extra) {
  TRY(make_directories(path.parent_path()));
  Fd fd = TRY(open_fd(path.string(), O_RDWR | O_CREAT, 0644));
  const int kind = (mode == FileLock::Mode::shared ? LOCK_SH : LOCK_EX) | extra;
  while (::flock(fd.get(), kind) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(ErrorCode::busy, fmt::format("{} is locked by another process", path.string()));
    }
    if (errno != EINTR) {
      return fail_errno(fmt::format("cannot lock {}", path.string()), errno);
    }
    // Asked only when a signal came during the wait: an undo after an earlier one still gets its locks.
    TRY_AS(check_interrupted(), fmt::format("gave up waiting for {}, which another process holds", path.string()));
  }
  return fd;
}

}  // namespace

Result<FileLock> FileLock::acquire(const fs::path& path, Mode mode) { return FileLock(TRY(locked(path, mode, 0))); }

Result<FileLock> FileLock::try_acquire(const fs::path& path, Mode mode) {
  return FileLock(TRY(locked(path, mode, LOCK_NB)));
}

}  // namespace domsmith
