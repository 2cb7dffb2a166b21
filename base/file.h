// Whole files: read under a limit, written atomically, locked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

// The whole file; refuses one longer than `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit = 64ULL << 20);

// SHA-256 of all that is in it, 64 lower-case digits; read in pieces, however long it is.
Result<std::string> sha256_of(int fd);
Result<std::string> sha256_of_file(const std::filesystem::path& path);

// Writes a temporary file in the same folder, fsyncs it, renames it over `path`, fsyncs the folder (rename(2)):
// a reader, and a machine that lost power, sees the old bytes or the new ones. Makes missing parent folders.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);
// The same without the flushes, for what can be made anew: after a power cut it may be torn, or empty.
Result<void> write_file_unflushed(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

// Removes a file; one that is absent already is fine.
Result<void> remove_file(const std::filesystem::path& path);

Result<void> make_directories(const std::filesystem::path& path, unsigned mode = 0755);
Result<void> sync_directory(const std::filesystem::path& path);

// A folder below TMPDIR (or /tmp), mode 0700, removed with all that it holds at the end of its life.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make(std::string_view prefix = "domsmith-");
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// flock(2) on a file of its own; ends with the object, and with the process however it ends.
class FileLock {
 public:
  enum class Mode { shared, exclusive };
  // Waits for the lock.
  static Result<FileLock> acquire(const std::filesystem::path& path, Mode mode = Mode::exclusive);
  // ErrorCode::busy where another process holds it.
  static Result<FileLock> try_acquire(const std::filesystem::path& path, Mode mode = Mode::exclusive);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace domsmith
