#include "imagebuild/boot/agent/init_modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "imagebuild/boot/agent/init_cmdline.h"
#include "imagebuild/boot/agent/init_report.h"

namespace domsmith::agent {
namespace {

void load_module(const std::string& path, const std::string& options) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return warn("cannot open " + path + ": " + std::strerror(errno));
  }
  if (::syscall(SYS_finit_module, fd, options.c_str(), 0) != 0 && errno != EEXIST && errno != ENODEV) {
    warn("cannot load " + path + ": " + std::strerror(errno));
  }
  ::close(fd);
}

}  // namespace

std::string_view module_name(std::string_view path) {
  const auto slash = path.rfind('/');
  auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find('.'));
}

void load_modules(std::string_view list, std::string_view cmdline) {
  while (!list.empty()) {
    const auto path = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(path.size() + 1, list.size()));
    if (!path.empty()) {
      load_module(std::string(path), module_options(cmdline, module_name(path)));
    }
  }
}

}  // namespace domsmith::agent
