#include "imagebuild/sources/tree_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/folder_names.h"

namespace domsmith::sources {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// Links on the way are followed inside `root`, the last part too: a folder that a link names is the folder meant.
int open_inside(int root, const std::string& path) {
  open_how how{};
  how.flags = folder_flags;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string child_of(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

// Whether `kept` has the path or something below it.
bool is_kept(const std::set<std::string>& kept, const std::string& path) {
  const auto at = kept.lower_bound(path);
  return (at != kept.end() && *at == path) || [&] {
    const auto below = kept.lower_bound(path + "/");
    return below != kept.end() && below->starts_with(path + "/");
  }();
}

timespec time_of(const Timestamp& time) {
  return {.tv_sec = static_cast<time_t>(time.seconds), .tv_nsec = static_cast<long>(time.nanoseconds)};
}

}  // namespace

Result<TreeFolder> TreeFolder::open(const std::filesystem::path& folder, Owners owners) {
  return TreeFolder(TRY(open_fd(folder.string(), folder_flags)), owners);
}

Result<Fd> TreeFolder::open_folder(const std::string& path) {
  Fd found(open_inside(root_.get(), path));
  if (found) {
    return found;
  }
  if (errno != ENOENT || path.empty()) {
    return fail_errno(fmt::format("cannot enter the folder of '{}'", path), errno);
  }
  const Fd parent = TRY(open_folder(parent_of(path)));
  const std::string name = path.substr(path.rfind('/') + 1);
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) {
    return fail_errno(fmt::format("cannot make the folder '{}'", path), errno);
  }
  Fd made(open_inside(root_.get(), path));
  return made ? Result<Fd>(std::move(made)) : fail_errno(fmt::format("cannot enter the folder '{}'", path), errno);
}

Result<TreeFolder::Place> TreeFolder::place(const std::string& path) {
  return Place{.parent = TRY(open_folder(parent_of(path))), .name = path.substr(path.rfind('/') + 1)};
}

// What is there gives way: a folder only to a folder, or where it is empty.
Result<void> TreeFolder::make_room(const Place& place, bool for_directory) {
  struct stat info{};
  if (::fstatat(place.parent.get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<void>() : fail_errno("cannot look at it", errno);
  }
  const bool directory = S_ISDIR(info.st_mode);
  if (directory && for_directory) {
    return {};
  }
  if (::unlinkat(place.parent.get(), place.name.c_str(), directory ? AT_REMOVEDIR : 0) != 0) {
    return fail_errno("cannot replace what is there", errno);
  }
  return {};
}

Result<void> TreeFolder::make_node(const Entry& entry, const Place& place) {
  const int at = place.parent.get();
  const char* name = place.name.c_str();
  int result = 0;
  switch (entry.type) {
    case EntryType::directory:
      result = ::mkdirat(at, name, 0700);
      result = result != 0 && errno == EEXIST ? 0 : result;
      break;
    case EntryType::regular:
      file_ = Fd(::openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      result = file_ ? 0 : -1;
      break;
    case EntryType::symlink:
      result = ::symlinkat(entry.target.c_str(), at, name);
      break;
    case EntryType::hard_link: {
      const Place first = TRY(this->place(entry.target));
      result = ::linkat(first.parent.get(), first.name.c_str(), at, name, 0);
      break;
    }
    case EntryType::fifo:
      result = ::mkfifoat(at, name, 0600);
      break;
    default:  // devices and sockets: made by whoever uses them
      return {};
  }
  return result == 0 ? Result<void>() : fail_errno("cannot make it", errno);
}

// Mode behind owner, for chown(2) clears set-user-ID bits; attributes behind both, for it clears capabilities.
Result<void> TreeFolder::set_attributes(const Entry& entry, const Place& place) {
  const int at = place.parent.get();
  const char* name = place.name.c_str();
  if (owners_ == Owners::keep && ::fchownat(at, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(fmt::format("cannot give it to {}:{}", entry.uid, entry.gid), errno);
  }
  // Our own folders stay open to us.
  const bool open = owners_ == Owners::ours && entry.type == EntryType::directory;
  if (entry.type != EntryType::symlink && ::fchmodat(at, name, entry.mode | (open ? 0700 : 0), 0) != 0) {
    return fail_errno("cannot set its mode", errno);
  }
  if (owners_ == Owners::keep) {
    const std::string path = fmt::format("/proc/self/fd/{}/{}", at, place.name);
    for (const auto& [key, value] : entry.xattrs) {
      if (::lsetxattr(path.c_str(), key.c_str(), value.data(), value.size(), 0) != 0 && errno != ENOTSUP &&
          errno != EPERM) {
        return fail_errno(fmt::format("cannot set its attribute '{}'", key), errno);
      }
    }
  }
  const timespec times[2] = {time_of(entry.mtime), time_of(entry.mtime)};
  ::utimensat(at, name, times, AT_SYMLINK_NOFOLLOW);
  return {};
}

Result<void> TreeFolder::finish_file() {
  if (!file_) {
    return {};
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(open_.size)) != 0) {
    return fail_errno(fmt::format("cannot size '{}'", open_.path), errno);
  }
  file_ = Fd();
  return set_attributes(open_, TRY(place(open_.path)));
}

Result<void> TreeFolder::set_root(const Entry& entry) {
  if (owners_ == Owners::keep &&
      (::fchown(root_.get(), entry.uid, entry.gid) != 0 || ::fchmod(root_.get(), entry.mode) != 0)) {
    return fail_errno("cannot set owner and mode of the tree's root", errno);
  }
  folder_times_[entry.path] = entry.mtime;
  return {};
}

Result<void> TreeFolder::entry(const Entry& entry) {
  TRY(finish_file());
  if (entry.path.empty()) {
    return set_root(entry);
  }
  const Place at = TRY(place(entry.path));
  const auto put = [&]() -> Result<void> {
    TRY(make_room(at, entry.type == EntryType::directory));
    TRY(make_node(entry, at));
    if (entry.type == EntryType::regular) {
      open_ = entry;
      return {};
    }
    if (entry.type == EntryType::directory) {
      folder_times_[entry.path] = entry.mtime;
    }
    const bool made =
        entry.type == EntryType::directory || entry.type == EntryType::symlink || entry.type == EntryType::fifo;
    return made ? set_attributes(entry, at) : Result<void>();
  };
  TRY_AS(put(), fmt::format("cannot unpack '{}'", entry.path));
  return {};
}

Result<void> TreeFolder::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!file_) {
    return fail(ErrorCode::bad_input, "data of no file");
  }
  return pwrite_all(file_.get(), offset, bytes);
}

// A folder's time is that of its last change, so it is set when nothing changes any more. A missing one was removed.
Result<void> TreeFolder::finish() {
  TRY(finish_file());
  for (const auto& [path, time] : folder_times_) {
    if (const Fd folder(open_inside(root_.get(), path)); folder) {
      const timespec times[2] = {time_of(time), time_of(time)};
      ::futimens(folder.get(), times);
    }
  }
  return {};
}

Result<bool> TreeFolder::remove_one(int parent, const std::string& name, const std::string& path,
                                    const std::set<std::string>& kept) {
  struct stat info{};
  if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<bool>(true) : fail_errno(fmt::format("cannot look at '{}'", path), errno);
  }
  if (S_ISDIR(info.st_mode)) {
    const Fd folder(::openat(parent, name.c_str(), folder_flags | O_NOFOLLOW));
    if (!folder) {
      return fail_errno(fmt::format("cannot enter '{}'", path), errno);
    }
    TRY(remove_in(folder.get(), path, kept));
  }
  if (is_kept(kept, path)) {
    return false;
  }
  if (::unlinkat(parent, name.c_str(), S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) != 0) {
    return fail_errno(fmt::format("cannot remove '{}'", path), errno);
  }
  return true;
}

Result<void> TreeFolder::remove_in(int folder, const std::string& path, const std::set<std::string>& kept) {
  for (const std::string& name : TRY(names_in_folder(folder))) {
    TRY(remove_one(folder, name, child_of(path, name), kept));
  }
  return {};
}

Result<void> TreeFolder::remove(const std::string& path, const std::set<std::string>& kept) {
  TRY(finish_file());
  const Fd parent(open_inside(root_.get(), parent_of(path)));
  if (!parent) {
    return {};
  }
  TRY(remove_one(parent.get(), path.substr(path.rfind('/') + 1), path, kept));
  return {};
}

Result<void> TreeFolder::empty(const std::string& path, const std::set<std::string>& kept) {
  TRY(finish_file());
  const Fd folder(open_inside(root_.get(), path));
  return folder ? remove_in(folder.get(), path, kept) : Result<void>();
}

}  // namespace domsmith::sources
