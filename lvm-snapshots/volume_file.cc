#include "lvm-snapshots/volume_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace {

struct flock whole_file(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

Result<struct stat> stat_of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) {
    return fail_errno("cannot look at a volume's file", errno);
  }
  return info;
}

}  // namespace

Result<Fd> open_volume_file(const std::filesystem::path& path, Access access) {
  const bool writing = access == Access::read_write;
  Fd fd = TRY(open_fd(path.string(), (writing ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK));
  if (!S_ISREG(TRY(stat_of(fd.get())).st_mode)) {
    return fail(ErrorCode::failed, fmt::format("{} is not a regular file", path.string()));
  }
  struct flock lock = whole_file(writing ? F_WRLCK : F_RDLCK);
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) {
    return fd;
  }
  if (errno == EAGAIN || errno == EACCES) {
    return store_rules::in_use(path.stem().string());
  }
  return fail_errno(fmt::format("cannot lock {}", path.string()), errno);
}

Result<bool> volume_file_in_use(const std::filesystem::path& path) {
  const Fd fd = TRY(open_fd(path.string(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) {
    return fail_errno(fmt::format("cannot ask for the locks on {}", path.string()), errno);
  }
  return lock.l_type != F_UNLCK;
}

Result<std::uint64_t> allocated_bytes(int fd) { return static_cast<std::uint64_t>(TRY(stat_of(fd)).st_blocks) * 512; }

Result<std::uint64_t> own_bytes(int fd) {
  static constexpr std::size_t batch = 128;
  std::vector<std::uint64_t> room((sizeof(fiemap) + batch * sizeof(fiemap_extent)) / sizeof(std::uint64_t));
  auto* map = reinterpret_cast<fiemap*>(room.data());
  std::uint64_t own = 0;
  for (std::uint64_t offset = 0;;) {
    std::memset(room.data(), 0, sizeof(fiemap));
    map->fm_start = offset;
    map->fm_length = FIEMAP_MAX_OFFSET - offset;
    map->fm_extent_count = batch;
    if (::ioctl(fd, FS_IOC_FIEMAP, map) != 0) {
      return allocated_bytes(fd);
    }
    if (map->fm_mapped_extents == 0) {
      return own;
    }
    for (const fiemap_extent& extent : std::span(map->fm_extents, map->fm_mapped_extents)) {
      own += (extent.fe_flags & FIEMAP_EXTENT_SHARED) != 0 ? 0 : extent.fe_length;
      offset = extent.fe_logical + extent.fe_length;
      if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) {
        return own;
      }
    }
  }
}

Result<void> reflink(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) {
    return {};
  }
  return fail_errno("the file system cannot share blocks between files", errno == ENOSPC ? ENOSPC : EOPNOTSUPP);
}

Result<bool> can_reflink(const std::filesystem::path& folder) {
  const Fd from(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  const Fd to(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (from && to) {
    return reflink(from.get(), to.get()).has_value();
  }
  struct statfs info{};  // not writable for us: the usual two do
  if (::statfs(folder.c_str(), &info) != 0) {
    return fail_errno(fmt::format("cannot look at {}", folder.string()), errno);
  }
  static constexpr auto xfs = 0x58465342;
  static constexpr auto btrfs = 0x9123683E;
  return info.f_type == xfs || info.f_type == btrfs;
}

}  // namespace domsmith
