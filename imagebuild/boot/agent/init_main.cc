// /init of the initramfs: mounts the kernel's file systems, loads modules, waits for the root device, mounts it, and
// hands over to its init. It runs as process 1, so when it ends the kernel panics, which is what a guest without a root
// has to do: the toolstack sees a crashed domain and its console says why.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "imagebuild/boot/agent/init_cmdline.h"
#include "imagebuild/boot/agent/init_modules.h"
#include "imagebuild/boot/agent/init_report.h"
#include "imagebuild/boot/agent/init_root.h"
#include "imagebuild/boot/agent/init_switch.h"
#include "imagebuild/boot/agent/init_text.h"

namespace domsmith::agent {
namespace {

constexpr const char* new_root = "/root";

[[noreturn]] void give_up(const std::string& why) {
  const std::string line = "\r\ndomsmith-init: cannot start this machine: " + why + "\r\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  ::tcdrain(STDERR_FILENO);
  ::_exit(1);
}

void mount_or_give_up(const char* type, const char* where, unsigned long flags, const char* data) {
  if (const std::string why = mount_at(type, where, type, flags, data); !why.empty()) {
    give_up(why);
  }
}

// The types of /proc/filesystems that live on a block device.
std::vector<std::string> known_types() {
  std::vector<std::string> types;
  const std::string text = read_text("/proc/filesystems");
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (text[start] == '\t') {
      types.push_back(text.substr(start + 1, end - start - 1));
    }
    start = end + 1;
  }
  return types;
}

void mount_root(const RootOptions& options, const std::string& device) {
  std::vector<std::string> types{options.type};
  if (options.type.empty()) {
    const auto type = type_of(device);
    types = type ? std::vector<std::string>{*type} : known_types();
  }
  ::mkdir(new_root, 0755);
  int error = ENODEV;
  for (const std::string& type : types) {
    if (::mount(device.c_str(), new_root, type.c_str(), options.mount_flags, options.data.c_str()) == 0) {
      return;
    }
    error = errno;
  }
  errno = error;
  give_up(error_text("cannot mount " + device + (types.size() == 1 ? " as " + types[0] : std::string())));
}

// The kernel handed the words it did not know to us as arguments (init/main.c); they are for the real init.
[[noreturn]] void start_init(const RootOptions& options, char** arguments) {
  std::vector<const char*> programs{"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};
  if (!options.init.empty()) {
    programs = {options.init.c_str()};
  }
  int error = ENOENT;
  for (const char* program : programs) {
    arguments[0] = const_cast<char*>(program);
    ::execv(program, arguments);
    error = errno == ENOENT ? error : errno;
  }
  errno = error;
  give_up(error_text(std::string("cannot run ") + programs[0]));
}

void run(char** arguments) {
  mount_or_give_up("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
  mount_or_give_up("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  mount_or_give_up("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const std::string cmdline = read_text("/proc/cmdline");
  const RootOptions options = read_root_options(cmdline);
  if (options.root.empty()) {
    give_up("the kernel's command line has no root=");
  }
  if (!options.root.starts_with("/dev/") && !options.root.starts_with("LABEL=") && !options.root.starts_with("UUID=")) {
    give_up("root=" + options.root + " is not /dev/NAME, LABEL=NAME or UUID=NUMBER");
  }
  DeviceEvents events;
  load_modules(read_text(module_list), cmdline);
  const auto device = wait_for_root(options, events);
  if (!device) {
    give_up("the root device " + options.root + " did not appear within " + std::to_string(*options.wait_seconds) +
            " seconds (rootdelay=SECONDS waits longer)");
  }
  mount_root(options, *device);
  if (const std::string why = switch_root(new_root); !why.empty()) {
    give_up(why);
  }
  start_init(options, arguments);
}

}  // namespace

}  // namespace domsmith::agent

int main(int, char** argv) {
  domsmith::agent::run(argv);
  return 1;
}
