#include "imagebuild/boot/agent/init_text.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace domsmith::agent {

std::string error_text(const std::string& what) { return what + ": " + std::strerror(errno); }

std::string read_text(const char* path) {
  std::string text;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> buffer{};
  ssize_t count = 0;
  while (fd >= 0 && (count = ::read(fd, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (fd >= 0) {
    ::close(fd);
  }
  return text;
}

std::string mount_at(const char* what, const char* where, const char* type, unsigned long flags, const char* data) {
  ::mkdir(where, 0755);
  // devtmpfs may be there already (CONFIG_DEVTMPFS_MOUNT does not reach an initramfs, but a kernel may be patched).
  if (::mount(what, where, type, flags, data) != 0 && errno != EBUSY) {
    return error_text(std::string("cannot mount ") + where);
  }
  return {};
}

}  // namespace domsmith::agent
