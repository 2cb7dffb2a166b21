// Finds the block device that root= means, and waits for it by the kernel's own announcements.
#pragma once

#include <optional>
#include <string>

#include "imagebuild/boot/agent/init_cmdline.h"

namespace domsmith::agent {

// Of a clock that only goes forward (CLOCK_MONOTONIC), which deadlines are reckoned by.
long long now_milliseconds();

// Hears of new devices (NETLINK_KOBJECT_UEVENT, netlink(7)); opened before the first look, so that none is missed.
class DeviceEvents {
 public:
  DeviceEvents();
  ~DeviceEvents();
  DeviceEvents(const DeviceEvents&) = delete;
  DeviceEvents& operator=(const DeviceEvents&) = delete;
  // Returns after the next announcement, or when `milliseconds` are over (-1: no end).
  void wait(int milliseconds);

 private:
  int socket_;
};

// The device node of `root` as of now. `sys_block` and `dev` are "/sys/class/block" and "/dev" but for tests.
std::optional<std::string> find_root(const std::string& root, const std::string& sys_block, const std::string& dev);

// find_root() again after each announcement, up to the deadline of the options.
std::optional<std::string> wait_for_root(const RootOptions& options, DeviceEvents& events);

// "ext4" where the device holds an ext superblock; nullopt: something else.
std::optional<std::string> type_of(const std::string& device);

}  // namespace domsmith::agent
