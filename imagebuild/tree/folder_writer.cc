#include "imagebuild/tree/folder_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace domsmith {
namespace {

mode_t kind_bits(EntryType type) {
  switch (type) {
    case EntryType::character_device:
      return S_IFCHR;
    case EntryType::block_device:
      return S_IFBLK;
    case EntryType::fifo:
      return S_IFIFO;
    default:
      return S_IFSOCK;
  }
}

}  // namespace

Result<Fd> open_inside(int root, const std::string& path, int flags, unsigned mode) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (fd >= 0) {
      return Fd(static_cast<int>(fd));
    }
    // EAGAIN: a rename elsewhere made the kernel unsure about a "..".
    if ((errno != EAGAIN && errno != EINTR) || tries > 1000) {
      return fail_errno(fmt::format("cannot open '{}'", path), errno);
    }
  }
}

Result<Fd> FolderWriter::open_directory(const std::string& path) const {
  return open_inside(root_, path, O_PATH | O_DIRECTORY);
}

Result<Fd> FolderWriter::make_directories(const std::string& path) const {
  auto found = open_directory(path);
  if (found || found.error().code != ErrorCode::not_found || path.empty()) {
    return found;
  }
  const std::size_t slash = path.rfind('/');
  const Fd parent = TRY(make_directories(slash == std::string::npos ? std::string() : path.substr(0, slash)));
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);
  if (::mkdirat(parent.get(), last.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make the folder '{}'", path), errno);
  }
  return open_directory(path);
}

Result<FolderWriter::Name> FolderWriter::place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? std::string() : path.substr(0, slash);
  if (!parent_ || parent != parent_path_) {
    parent_ = TRY(make_directories(parent));
    parent_path_ = parent;
  }
  return Name{.parent = parent_.get(), .last = slash == std::string::npos ? path : path.substr(slash + 1)};
}

Result<void> FolderWriter::set_attributes(const Name& name, const Entry& entry) const {
  // Mode behind owner: chown(2) clears set-user-ID bits.
  if (::fchownat(name.parent, name.last.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(fmt::format("cannot give '{}' to {}:{}", entry.path, entry.uid, entry.gid), errno);
  }
  if (entry.type != EntryType::symlink && ::fchmodat(name.parent, name.last.c_str(), entry.mode, 0) != 0) {
    return fail_errno(fmt::format("cannot set the mode of '{}'", entry.path), errno);
  }
  if (entry.type != EntryType::directory) {
    const timespec time{.tv_sec = entry.mtime.seconds, .tv_nsec = static_cast<long>(entry.mtime.nanoseconds)};
    const timespec times[2] = {time, time};
    if (::utimensat(name.parent, name.last.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(fmt::format("cannot set the time of '{}'", entry.path), errno);
    }
  }
  return {};
}

Result<void> FolderWriter::set_directory(const Entry& entry) {
  const Fd fd = TRY(open_inside(root_, entry.path, O_RDONLY | O_DIRECTORY));
  if (::fchown(fd.get(), entry.uid, entry.gid) != 0 || ::fchmod(fd.get(), entry.mode) != 0) {
    return fail_errno(fmt::format("cannot set owner and mode of '{}'", entry.path), errno);
  }
  return {};
}

Result<void> FolderWriter::add_directory(const Name& name, const Entry& entry) {
  if (::mkdirat(name.parent, name.last.c_str(), 0755) == 0) {
    return set_attributes(name, entry);
  }
  if (errno != EEXIST) {
    return fail_errno(fmt::format("cannot make the folder '{}'", entry.path), errno);
  }
  if (open_directory(entry.path)) {
    return {};
  }
  if (::unlinkat(name.parent, name.last.c_str(), 0) != 0 || ::mkdirat(name.parent, name.last.c_str(), 0755) != 0) {
    return fail_errno(fmt::format("cannot make the folder '{}'", entry.path), errno);
  }
  return set_attributes(name, entry);
}

Result<void> FolderWriter::add_file(const Name& name, const Entry& entry) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  file_ = Fd(::openat(name.parent, name.last.c_str(), flags, 0600));
  if (!file_) {
    return fail_errno(fmt::format("cannot create '{}'", entry.path), errno);
  }
  open_ = entry;
  return {};
}

Result<void> FolderWriter::add_other(const Name& name, const Entry& entry) {
  if (entry.type == EntryType::symlink) {
    if (::symlinkat(entry.target.c_str(), name.parent, name.last.c_str()) != 0) {
      return fail_errno(fmt::format("cannot create the link '{}'", entry.path), errno);
    }
    return set_attributes(name, entry);
  }
  if (entry.type == EntryType::hard_link) {
    const std::size_t slash = entry.target.rfind('/');
    const Fd from = TRY(open_directory(slash == std::string::npos ? std::string() : entry.target.substr(0, slash)));
    const std::string last = slash == std::string::npos ? entry.target : entry.target.substr(slash + 1);
    if (::linkat(from.get(), last.c_str(), name.parent, name.last.c_str(), 0) != 0) {
      return fail_errno(fmt::format("cannot link '{}' to '{}'", entry.path, entry.target), errno);
    }
    return {};
  }
  const dev_t device = makedev(entry.device_major, entry.device_minor);
  if (::mknodat(name.parent, name.last.c_str(), kind_bits(entry.type) | 0600, device) != 0) {
    return fail_errno(fmt::format("cannot create '{}'", entry.path), errno);
  }
  return set_attributes(name, entry);
}

Result<void> FolderWriter::entry(const Entry& entry) {
  TRY(close_file());
  if (entry.path.empty()) {
    return set_directory(entry);
  }
  const Name name = TRY(place_of(entry.path));
  if (entry.type == EntryType::directory) {
    return add_directory(name, entry);
  }
  if (::unlinkat(name.parent, name.last.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_errno(fmt::format("cannot replace '{}'", entry.path), errno);
  }
  return entry.type == EntryType::regular ? add_file(name, entry) : add_other(name, entry);
}

Result<void> FolderWriter::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!file_) {
    return fail(ErrorCode::bad_input, "data came without a file that it belongs to");
  }
  return pwrite_all(file_.get(), offset, bytes);
}

Result<void> FolderWriter::close_file() {
  if (!file_) {
    return {};
  }
  struct stat info = {};
  const auto size = static_cast<off_t>(open_.size);
  if (::fstat(file_.get(), &info) != 0 || (info.st_size < size && ::ftruncate(file_.get(), size) != 0)) {
    return fail_errno(fmt::format("cannot write '{}'", open_.path), errno);
  }
  if (::fchown(file_.get(), open_.uid, open_.gid) != 0 || ::fchmod(file_.get(), open_.mode) != 0) {
    return fail_errno(fmt::format("cannot set owner and mode of '{}'", open_.path), errno);
  }
  for (const auto& [name, value] : open_.xattrs) {
    if (::fsetxattr(file_.get(), name.c_str(), value.data(), value.size(), 0) != 0) {
      return fail_errno(fmt::format("cannot set the attribute '{}' of '{}'", name, open_.path), errno);
    }
  }
  const timespec time{.tv_sec = open_.mtime.seconds, .tv_nsec = static_cast<long>(open_.mtime.nanoseconds)};
  const timespec times[2] = {time, time};
  if (::futimens(file_.get(), times) != 0) {
    return fail_errno(fmt::format("cannot set the time of '{}'", open_.path), errno);
  }
  file_ = Fd();
  return {};
}

Result<void> FolderWriter::finish() { return close_file(); }

}  // namespace domsmith
