#include "provision/domain/config_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/file.h"

namespace domsmith {
namespace {

constexpr std::size_t size_limit = 1U << 20;

std::string staged_name(const std::string& name) { return "." + name + ".domsmith-new"; }

}  // namespace

Result<std::optional<ConfigFolder>> ConfigFolder::open(const std::filesystem::path& path) {
  auto fd = open_fd(path.string(), O_RDONLY | O_DIRECTORY);
  if (fd) {
    return ConfigFolder(path, std::move(*fd));
  }
  if (fd.error().code == ErrorCode::not_found) {
    return std::nullopt;
  }
  return std::unexpected(std::move(fd).error());
}

Result<ConfigFolder> ConfigFolder::make(const std::filesystem::path& path) {
  TRY(make_directories(path));
  return ConfigFolder(path, TRY(open_fd(path.string(), O_RDONLY | O_DIRECTORY)));
}

Result<std::optional<std::string>> ConfigFolder::read(const std::string& name) const {
  const auto headline = fmt::format("cannot read {}", path_of(name));
  // O_NONBLOCK: a FIFO of that name must not hold us up.
  const Fd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    return fail_errno(headline, errno);
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return fail_errno(headline, errno);
  }
  if (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > size_limit) {
    return fail(ErrorCode::bad_input, fmt::format("{} is {}", path_of(name),
                                                  S_ISREG(info.st_mode) ? "larger than 1 MiB" : "no regular file"));
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  bytes.resize(TRY_AS(read_some(fd.get(), std::as_writable_bytes(std::span(bytes))), headline));
  return bytes;
}

Result<std::optional<std::string>> ConfigFolder::read_link(const std::string& name) const {
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
  if (length >= 0) {
    return std::string(target.data(), static_cast<std::size_t>(length));
  }
  if (errno == ENOENT) {
    return std::nullopt;
  }
  if (errno == EINVAL) {
    return fail(ErrorCode::exists, fmt::format("{} is there and is no link", path_of(name)), "move it away first");
  }
  return fail_errno(fmt::format("cannot read the link {}", path_of(name)), errno);
}

Result<void> ConfigFolder::stage(const std::string& name, std::string_view bytes, bool flush) const {
  const auto headline = fmt::format("cannot write {}", path_of(name));
  TRY(drop_staged(name));
  const Fd fd(
      ::openat(fd_.get(), staged_name(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) {
    return fail_errno(headline, errno);
  }
  TRY_AS(write_all(fd.get(), bytes), headline);
  if (flush && ::fdatasync(fd.get()) != 0) {
    return fail_errno(headline, errno);
  }
  return {};
}

Result<void> ConfigFolder::stage_link(const std::string& name, const std::string& target) const {
  TRY(drop_staged(name));
  if (::symlinkat(target.c_str(), fd_.get(), staged_name(name).c_str()) != 0) {
    return fail_errno(fmt::format("cannot make the link {}", path_of(name)), errno);
  }
  return {};
}

Result<void> ConfigFolder::publish(const std::string& name, bool replace) const {
  const auto from = staged_name(name);
  const auto headline = fmt::format("cannot put {} in place", path_of(name));
  int status = ::renameat2(fd_.get(), from.c_str(), fd_.get(), name.c_str(), replace ? 0 : RENAME_NOREPLACE);
  if (status != 0 && !replace && (errno == EINVAL || errno == ENOSYS)) {
    // A file system without RENAME_NOREPLACE: link(2) does not replace either.
    status = ::linkat(fd_.get(), from.c_str(), fd_.get(), name.c_str(), 0);
    if (status == 0) {
      return drop_staged(name);
    }
  }
  return status == 0 ? Result<void>{} : fail_errno(headline, errno);
}

Result<void> ConfigFolder::drop_staged(const std::string& name) const { return remove(staged_name(name)); }

Result<void> ConfigFolder::remove(const std::string& name) const {
  if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_errno(fmt::format("cannot remove {}", path_of(name)), errno);
  }
  return {};
}

Result<void> ConfigFolder::flush_files() const {
  return ::syncfs(fd_.get()) == 0 ? Result<void>{} : fail_errno(fmt::format("cannot sync {}", path_.string()), errno);
}

Result<void> ConfigFolder::flush_names() const {
  return ::fsync(fd_.get()) == 0 ? Result<void>{} : fail_errno(fmt::format("cannot sync {}", path_.string()), errno);
}

}  // namespace domsmith
