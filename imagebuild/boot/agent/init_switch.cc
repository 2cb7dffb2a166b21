#include "imagebuild/boot/agent/init_switch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace domsmith::agent {
namespace {

constexpr long ramfs_magic = 0x858458f6;  // linux/magic.h
constexpr long tmpfs_magic = 0x01021994;

std::string reason(const std::string& what) { return what + ": " + std::strerror(errno); }

// Deletes what lies below the folder on the same device. `folder` is closed.
void delete_contents(int folder, dev_t device) {
  DIR* items = ::fdopendir(folder);
  if (items == nullptr) {
    ::close(folder);
    return;
  }
  while (const dirent* item = ::readdir(items)) {
    const std::string name = item->d_name;
    struct stat info{};
    if (name == "." || name == ".." || ::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        info.st_dev != device) {
      continue;
    }
    if (S_ISDIR(info.st_mode)) {
      const int below = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (below >= 0) {
        delete_contents(below, device);
      }
      ::unlinkat(folder, name.c_str(), AT_REMOVEDIR);
    } else {
      ::unlinkat(folder, name.c_str(), 0);
    }
  }
  ::closedir(items);
}

// Only ever the initramfs: were "/" anything else, deleting would be a disaster.
bool stands_in_memory() {
  struct statfs info{};
  return ::statfs("/", &info) == 0 && (info.f_type == ramfs_magic || info.f_type == tmpfs_magic);
}

}  // namespace

std::string switch_root(const char* new_root) {
  constexpr std::array<const char*, 3> mounts{"/dev", "/proc", "/sys"};
  for (const char* mount_point : mounts) {
    const std::string target = std::string(new_root) + mount_point;
    if (::mount(mount_point, target.c_str(), nullptr, MS_MOVE, nullptr) != 0) {
      return reason("the root file system has no usable " + std::string(mount_point));
    }
  }
  struct stat old_root{};
  const int old_folder = stands_in_memory() ? ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (::chdir(new_root) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
      ::chdir("/") != 0) {
    return reason("cannot make the root file system the root");
  }
  if (old_folder >= 0 && ::fstat(old_folder, &old_root) == 0) {
    delete_contents(old_folder, old_root.st_dev);
  }
  return {};
}

}  // namespace domsmith::agent
