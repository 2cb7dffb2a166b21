// Drivers for the devices that are there, as udev would load them: each device of /sys says what it is in its
// `modalias`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace domsmith::host_init {

// A line of the initramfs's list /drivers: a module's alias pattern (fnmatch(3)), then the files to load, in order.
struct Driver {
  std::string pattern;
  std::vector<std::string> files;
};

std::vector<Driver> read_drivers(std::string_view text);

// The modaliases of all devices below `sys_bus` ("/sys/bus" but for tests).
std::vector<std::string> modaliases(const std::string& sys_bus);

// The files of each driver that one of the aliases asks for, in order of the list: a driver is known by its last file,
// and is there once. Those whose last file is in `started` are left out.
std::vector<std::vector<std::string>> wanted_drivers(const std::vector<Driver>& drivers,
                                                     const std::vector<std::string>& aliases,
                                                     const std::vector<std::string>& started);

}  // namespace domsmith::host_init
