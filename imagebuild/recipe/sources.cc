#include "imagebuild/recipe/sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "base/text.h"

namespace domsmith {

namespace {

// O_NONBLOCK: a FIFO must not hold us up.
constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int open_beneath(int root, const std::string& relative) {
  open_how how{};
  how.flags = read_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how));
}

// For kernels and containers without openat2: part by part, no symbolic link at all.
int open_step_by_step(int root, const std::string& relative) {
  Fd folder(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!folder) {
    return -1;
  }
  std::size_t start = 0;
  for (auto slash = relative.find('/'); slash != std::string::npos; slash = relative.find('/', start)) {
    Fd next(openat(folder.get(), relative.substr(start, slash - start).c_str(),
                   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      return -1;
    }
    folder = std::move(next);
    start = slash + 1;
  }
  return openat(folder.get(), relative.substr(start).c_str(), read_flags | O_NOFOLLOW);
}

std::string reason(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "there is no such file";
    case EXDEV:
      return "a symbolic link leads out of the recipe's folder";
    case ELOOP:
      return "it is a symbolic link that cannot be followed";
    default:
      return std::strerror(error);
  }
}

}  // namespace

Result<Fd> SourceFolder::open(const std::string& relative) {
  if (!root_) {
    root_ = TRY(open_fd(folder_.empty() ? "." : folder_.string(), O_PATH | O_DIRECTORY));
  }
  int fd = open_beneath(root_.get(), relative);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
    fd = open_step_by_step(root_.get(), relative);
  }
  if (fd < 0) {
    return fail(ErrorCode::bad_input, reason(errno));
  }
  return Fd(fd);
}

Result<std::string> SourceFolder::read(const std::string& relative) {
  const Fd file = TRY(open(relative));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) {
    return fail(ErrorCode::bad_input, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::bad_input, S_ISDIR(status.st_mode) ? "it is a folder, not a file" : "it is no regular file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > file_limit) {
    return fail(ErrorCode::bad_input, fmt::format("it is larger than {}", size_text(file_limit)));
  }
  if (size > total_limit - total_) {
    return fail(ErrorCode::bad_input, fmt::format("all files together are larger than {}", size_text(total_limit)));
  }
  std::string bytes(size, '\0');
  const std::size_t count = TRY(read_some(file.get(), std::as_writable_bytes(std::span(bytes))));
  bytes.resize(count);
  total_ += count;
  return bytes;
}

}  // namespace domsmith
