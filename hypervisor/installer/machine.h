// What an installation does to the machine it runs on: commands, mounts, copies to devices.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "hypervisor/installer/commands.h"

namespace domsmith {

Result<void> run_command(const InstallCommand& command);
// Every array with a member on the disk or on one of its partitions (sysfs: slaves/).
Result<void> stop_arrays_on(const std::string& disk);
// The kernel reads the partition table again, and udev has made the nodes when it returns.
Result<void> read_partitions_again(const std::string& disk);

Result<void> mount_device(const std::string& device, const std::filesystem::path& where, const std::string& type);
Result<void> mount_file(const std::filesystem::path& file, const std::filesystem::path& where, const std::string& type);
Result<void> mount_firmware_variables();  // where they are not yet
Result<void> unmount(const std::filesystem::path& where);

// Asks systemd to restart the machine or to power it off, and does not return: a program that waited for it would be
// ended by its own wish, and call that a failure.
// "reboot" or "poweroff" of systemctl(1). At once: nothing is stopped, all is killed, then unmounted; for a medium, on
// which nothing runs that has an end of its own.
enum class Ending { orderly, at_once };
Result<void> end_machine(const std::string& verb, Ending ending = Ending::orderly);

// Copies the file to the start of the device, and reads it back from there: the SHA-256 of what the device holds.
Result<std::string> copy_to_device(const std::filesystem::path& file, const std::string& device, Progress& progress);

}  // namespace domsmith
