#include "imagebuild/boot/agent/init_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "imagebuild/boot/agent/init_report.h"
#include "imagebuild/boot/agent/init_superblock.h"

namespace domsmith::agent {
namespace {

std::optional<ExtName> ext_name(const std::string& device) {
  const int fd = ::open(device.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return std::nullopt;
  }
  std::array<char, superblock_size> bytes{};
  const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), superblock_offset);
  ::close(fd);
  return count == static_cast<ssize_t>(bytes.size()) ? read_ext_name({bytes.data(), bytes.size()}) : std::nullopt;
}

std::vector<std::string> block_devices(const std::string& sys_block, const std::string& dev) {
  std::vector<std::string> devices;
  DIR* folder = ::opendir(sys_block.c_str());
  if (folder == nullptr) {
    return devices;
  }
  while (const dirent* item = ::readdir(folder)) {
    if (item->d_name[0] != '.') {
      devices.push_back(dev + "/" + item->d_name);
    }
  }
  ::closedir(folder);
  std::sort(devices.begin(), devices.end());  // of two with one label, always the same
  return devices;
}

// How long to listen before looking again. A device of many partitions may be announced before its node can be read.
int listen_milliseconds(std::optional<unsigned> wait_seconds, long long begin) {
  constexpr long long look_again = 1000;
  if (!wait_seconds) {
    return look_again;
  }
  const long long left = begin + *wait_seconds * 1000LL - now_milliseconds();
  return static_cast<int>(std::clamp(left, 0LL, look_again));
}

}  // namespace

long long now_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

DeviceEvents::DeviceEvents()
    : socket_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  if (socket_ >= 0 && ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    socket_ = -1;
  }
}

DeviceEvents::~DeviceEvents() {
  if (socket_ >= 0) {
    ::close(socket_);
  }
}

void DeviceEvents::wait(int milliseconds) {
  pollfd polled{socket_, POLLIN, 0};  // a negative descriptor is left out: then this is a pause
  ::poll(&polled, 1, milliseconds);
  std::array<char, 4096> message{};
  while (socket_ >= 0 && ::recv(socket_, message.data(), message.size(), 0) > 0) {
    // Which device it was does not matter: the caller looks again.
  }
}

std::optional<std::string> find_root(const std::string& root, const std::string& sys_block, const std::string& dev) {
  if (root.starts_with("/dev/")) {
    const std::string device = dev + root.substr(4);
    struct stat info{};
    return ::stat(device.c_str(), &info) == 0 ? std::optional(device) : std::nullopt;
  }
  for (const std::string& device : block_devices(sys_block, dev)) {
    const auto name = ext_name(device);
    if (name && is_meant(root, *name)) {
      return device;
    }
  }
  return std::nullopt;
}

std::optional<std::string> wait_for_root(const RootOptions& options, DeviceEvents& events) {
  const long long begin = now_milliseconds();
  bool told = false;
  for (;;) {
    if (auto device = find_root(options.root, "/sys/class/block", "/dev")) {
      return device;
    }
    const int pause = listen_milliseconds(options.wait_seconds, begin);
    if (pause == 0) {
      return std::nullopt;
    }
    if (!told && now_milliseconds() - begin >= 2000) {
      told = true;
      say("waiting for " + options.root);
    }
    events.wait(pause);
  }
}

std::optional<std::string> type_of(const std::string& device) {
  return ext_name(device) ? std::optional<std::string>("ext4") : std::nullopt;
}

}  // namespace domsmith::agent
