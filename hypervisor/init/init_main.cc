// /init of the hypervisor's initramfs: loads drivers, finds the slot, mounts it with the host's own files over it, and
// hands over to its init. Without a slot there is nothing to run: the message stays on the console, and the machine
// starts again after a while (a slot that was only tried is then not tried again).
#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "hypervisor/init/devices.h"
#include "hypervisor/init/root.h"
#include "hypervisor/init/signature.h"
#include "imagebuild/boot/agent/init_modules.h"
#include "imagebuild/boot/agent/init_report.h"
#include "imagebuild/boot/agent/init_root.h"
#include "imagebuild/boot/agent/init_switch.h"
#include "imagebuild/boot/agent/init_text.h"

namespace domsmith::host_init {
namespace {

constexpr const char* new_root = "/root";
constexpr const char* own = "/own";        // the host's own files: an ext4, or memory
constexpr const char* medium = "/medium";  // the CD or the stick
constexpr const char* slot_file = "/medium/domsmith/slot.squashfs";
constexpr const char* medium_mark = "/medium/domsmith/medium.json";
constexpr const char* medium_modules = "/modules.medium";  // as agent::module_list
constexpr const char* array_modules = "/modules.arrays";
constexpr int patience = 60;            // seconds to wait for disks
constexpr int whole_arrays_first = 8;   // seconds
constexpr unsigned restart_after = 30;  // seconds that a message stays

// The parent of all processes may not end before the message has been read.
[[noreturn]] void give_up(const std::string& why) {
  agent::warn("cannot start this machine: " + why);
  const std::string line = "\r\ndomsmith-init: cannot start this machine: " + why + "\r\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  ::sleep(restart_after);
  ::_exit(1);
}

void mount_or_give_up(const char* what, const char* where, const char* type, unsigned long flags, const char* data) {
  if (const std::string why = agent::mount_at(what, where, type, flags, data); !why.empty()) {
    give_up(why);
  }
}

// Its exit status; 127 where it could not run.
int run_program(const std::vector<const char*>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const char* word : words) {
    arguments.push_back(const_cast<char*>(word));
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) != child) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

bool is_there(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

class Drivers {
 public:
  explicit Drivers(std::string cmdline)
      : cmdline_(std::move(cmdline)), drivers_(read_drivers(agent::read_text("/drivers"))) {}
  // Those that a device asks for and that nobody has started. Buses bring devices, which ask for more: each is
  // announced. Side by side: one that looks for disks on its cables for seconds keeps none of the others waiting, nor
  // does it keep the machine once its volumes are there. The kernel lets each wait for what another is loading.
  void start() {
    for (const auto& files : wanted_drivers(drivers_, modaliases("/sys/bus"), started_)) {
      started_.push_back(files.back());
      if (::fork() == 0) {
        load(files);
        ::_exit(0);
      }
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

 private:
  void load(const std::vector<std::string>& files) const {
    for (const std::string& file : files) {
      if (is_there(file)) {  // the initramfs may be gone; then udev loads the rest
        agent::load_modules(file, cmdline_);
      }
    }
  }

  std::string cmdline_;
  std::vector<Driver> drivers_;
  std::vector<std::string> started_;
};

// Without udev: lvm makes the device nodes itself.
constexpr const char* lvm_settings =
    "activation{udev_sync=0 udev_rules=0 monitoring=0} devices{use_devicesfile=0 "
    "obtain_device_list_from_udev=0}";

std::vector<std::string> block_devices() {
  std::vector<std::string> devices;
  DIR* folder = ::opendir("/sys/class/block");
  while (const dirent* item = folder == nullptr ? nullptr : ::readdir(folder)) {
    const std::string name = item->d_name;
    if (name[0] != '.' && !name.starts_with("loop") && !name.starts_with("dm-") && !name.starts_with("ram")) {
      devices.push_back("/dev/" + name);
    }
  }
  if (folder != nullptr) {
    ::closedir(folder);
  }
  std::sort(devices.begin(), devices.end());
  return devices;
}

class Volumes {
 public:
  Volumes(const Wanted& wanted, std::string cmdline) : wanted_(wanted), cmdline_(std::move(cmdline)) {
    ::mkdir("/run", 0755);
    ::mkdir("/run/lvm", 0755);
    ::mkdir("/run/lock", 0755);
  }
  // Whether both are there now. The programs run where a disk has come or a second has gone.
  bool activate() {
    const long long now = agent::now_milliseconds();
    std::vector<std::string> devices = block_devices();
    if (devices == seen_ && now < last_ + 1000) {
      return false;
    }
    last_ = now;
    if (any(devices, &Signatures::array_member)) {
      assemble(now);
      devices = block_devices();
    }
    seen_ = devices;
    const std::string slot = wanted_.group + "/slot-" + wanted_.slot;
    const std::string state = wanted_.group + "/state";
    if (any(devices, &Signatures::volumes)) {
      run_program(
          {"/usr/sbin/lvm", "lvchange", "-ay", "-K", "-qq", "--config", lvm_settings, slot.c_str(), state.c_str()});
    }
    return is_there(mapper_path(wanted_.group, "slot-" + wanted_.slot)) &&
           is_there(mapper_path(wanted_.group, "state"));
  }

 private:
  static bool any(const std::vector<std::string>& devices, bool Signatures::* has) {
    return std::any_of(devices.begin(), devices.end(),
                       [has](const std::string& device) { return read_signatures(device).*has; });
  }

  // A disk that is only late must not become a stale half of its array: whole arrays first, any array after a while.
  void assemble(long long now) {
    if (begin_ < 0) {
      begin_ = now;
      agent::load_modules(agent::read_text(array_modules), cmdline_);
    }
    const bool only_whole = now < begin_ + whole_arrays_first * 1000LL;
    if (!only_whole) {
      // --no-degraded left what was not whole put together and not started: its disks are in use, and are not found
      // again.
      run_program({"/usr/sbin/mdadm", "--stop", "--scan", "--quiet"});
    }
    run_program({"/usr/sbin/mdadm", "--assemble", "--scan", "--quiet", only_whole ? "--no-degraded" : "--run"});
  }

  const Wanted& wanted_;
  std::string cmdline_;
  std::vector<std::string> seen_;
  long long last_ = -1000;  // milliseconds: when the programs ran
  long long begin_ = -1;    // of waiting for whole arrays
};

bool mount_medium() {
  ::mkdir(medium, 0755);
  for (const std::string& device : block_devices()) {
    if (::mount(device.c_str(), medium, "iso9660", MS_RDONLY, nullptr) != 0) {
      continue;
    }
    if (is_there(medium_mark) && is_there(slot_file)) {
      agent::say("the medium is " + device);
      return true;
    }
    ::umount(medium);
  }
  return false;
}

std::string loop_device(const char* file) {
  const int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  const int number = control < 0 ? -1 : ::ioctl(control, LOOP_CTL_GET_FREE);
  const std::string device = "/dev/loop" + std::to_string(number);
  const int loop = number < 0 ? -1 : ::open(device.c_str(), O_RDONLY | O_CLOEXEC);
  const int backing = ::open(file, O_RDONLY | O_CLOEXEC);
  if (loop < 0 || backing < 0 || ::ioctl(loop, LOOP_SET_FD, backing) != 0) {
    give_up(agent::error_text(std::string("cannot make a loop device of ") + file));
  }
  return device;  // the descriptors stay open: they belong to the machine now
}

void overlay(const std::string& folder) {
  const std::string upper = std::string(own) + folder;
  const std::string work = std::string(own) + "/.work" + folder;
  const std::string target = new_root + folder;
  ::mkdir(upper.c_str(), 0755);
  ::mkdir((std::string(own) + "/.work").c_str(), 0700);
  ::mkdir(work.c_str(), 0700);
  const std::string data = "lowerdir=" + target + ",upperdir=" + upper + ",workdir=" + work;
  if (::mount("overlay", target.c_str(), "overlay", MS_NOATIME, data.c_str()) != 0) {
    give_up(agent::error_text("cannot lay the host's own files over " + folder));
  }
}

template <typename Ready>
void wait_for(const char* what, const std::string& cmdline, Ready ready) {
  agent::DeviceEvents events;
  Drivers drivers(cmdline);
  const long long end = agent::now_milliseconds() + patience * 1000LL;
  while (agent::now_milliseconds() < end) {
    drivers.start();
    if (ready()) {
      return;
    }
    events.wait(1000);
  }
  give_up(std::string(what) + " did not appear within " + std::to_string(patience) + " seconds");
}

void mount_slot(const Wanted& wanted, const std::string& cmdline) {
  std::string slot;
  if (wanted.live) {
    agent::load_modules(agent::read_text(medium_modules), cmdline);
    wait_for("the medium", cmdline, mount_medium);
    slot = loop_device(slot_file);
    mount_or_give_up("tmpfs", own, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=50%");
  } else {
    Volumes volumes(wanted, cmdline);
    wait_for("the host's volumes", cmdline, [&] { return volumes.activate(); });
    slot = mapper_path(wanted.group, "slot-" + wanted.slot);
    mount_or_give_up(mapper_path(wanted.group, "state").c_str(), own, "ext4", MS_NOATIME, nullptr);
  }
  mount_or_give_up(slot.c_str(), new_root, "squashfs", MS_RDONLY, nullptr);
  for (const char* folder : {"/etc", "/var", "/root"}) {
    overlay(folder);
  }
  const std::string place = std::string(new_root) + (wanted.live ? "/media" : "/state");
  if (::mount(wanted.live ? medium : own, place.c_str(), nullptr, MS_MOVE, nullptr) != 0) {
    give_up(agent::error_text("the slot has no " + place.substr(std::strlen(new_root))));
  }
}

void run(char** arguments) {
  mount_or_give_up("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
  mount_or_give_up("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  mount_or_give_up("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const std::string cmdline = agent::read_text("/proc/cmdline");
  const auto wanted = read_wanted(cmdline);
  if (!wanted) {
    give_up("the kernel's command line has neither domsmith.live nor domsmith.group= and domsmith.slot=");
  }
  agent::load_modules(agent::read_text(agent::module_list), cmdline);
  // Xen's own files, which its store waits for; where that fails, proc-xen.mount says so.
  ::mount("xenfs", "/proc/xen", "xenfs", 0, nullptr);
  mount_slot(*wanted, cmdline);
  if (const std::string why = agent::switch_root(new_root); !why.empty()) {
    give_up(why);
  }
  arguments[0] = const_cast<char*>("/sbin/init");
  ::execv("/sbin/init", arguments);
  give_up(agent::error_text("cannot run /sbin/init"));
}

}  // namespace
}  // namespace domsmith::host_init

int main(int, char** argv) {
  domsmith::host_init::run(argv);
  return 1;
}
