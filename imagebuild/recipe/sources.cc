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

#include "base/folder_names.h"
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

Result<std::string> SourceFolder::read(const std::string& relative) { return read_open(TRY(open(relative))); }

namespace {

constexpr std::size_t most_nodes = 4096;
constexpr int deepest = 32;

Result<std::string> link_text(int folder, const std::string& name) {
  std::string text(4096, '\0');
  const ssize_t length = ::readlinkat(folder, name.c_str(), text.data(), text.size());
  if (length <= 0) {
    return fail(ErrorCode::bad_input, "a link in it cannot be read");
  }
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

Result<void> SourceFolder::read_folder(int folder, const std::string& path, int depth,
                                       std::vector<RecipeTree::Node>& nodes) {
  using Kind = RecipeTree::Node::Kind;
  if (depth > deepest) {
    return fail(ErrorCode::bad_input, fmt::format("it is deeper than {} folders", deepest));
  }
  for (const std::string& name : TRY(names_in_folder(folder))) {
    if (nodes.size() >= most_nodes) {
      return fail(ErrorCode::bad_input, fmt::format("it holds more than {} files", most_nodes));
    }
    struct stat info{};
    if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail(ErrorCode::bad_input, std::strerror(errno));
    }
    const std::string full = path + "/" + name;
    if (S_ISLNK(info.st_mode)) {
      nodes.push_back({.kind = Kind::link, .path = full, .bytes = TRY(link_text(folder, name)), .mode = 0777});
      continue;
    }
    const Fd inner(::openat(folder, name.c_str(), read_flags | O_NOFOLLOW));
    if (!inner) {
      return fail(ErrorCode::bad_input, fmt::format("{}: {}", name, std::strerror(errno)));
    }
    if (S_ISDIR(info.st_mode)) {
      nodes.push_back({.kind = Kind::folder, .path = full, .bytes = {}, .mode = 0755});
      TRY(read_folder(inner.get(), full, depth + 1, nodes));
    } else {
      const bool program = (info.st_mode & 0111) != 0;
      nodes.push_back(
          {.kind = Kind::file, .path = full, .bytes = TRY(read_open(inner)), .mode = program ? 0755U : 0644U});
    }
  }
  return {};
}

Result<std::vector<RecipeTree::Node>> SourceFolder::read_tree(const std::string& relative, const std::string& path) {
  const Fd folder = TRY(open(relative));
  struct stat info{};
  if (::fstat(folder.get(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return fail(ErrorCode::bad_input, "it is no folder");
  }
  std::vector<RecipeTree::Node> nodes{
      {.kind = RecipeTree::Node::Kind::folder, .path = path, .bytes = {}, .mode = 0755}};
  TRY(read_folder(folder.get(), path, 1, nodes));
  return nodes;
}

Result<std::string> SourceFolder::read_open(const Fd& file) {
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
