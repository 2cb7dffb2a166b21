#include "imagebuild/boot/agent/init_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace domsmith::agent {
namespace {

void log_line(std::string_view level, std::string_view text) {
  const std::string line = std::string(level) + "domsmith-init: " + std::string(text) + "\n";
  const int fd = ::open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
    ::close(fd);
  }
}

}  // namespace

void say(std::string_view text) { log_line("<6>", text); }
void warn(std::string_view text) { log_line("<4>", text); }

}  // namespace domsmith::agent
