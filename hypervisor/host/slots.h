// The two slots of an installed host: writing the other one, trying it once, keeping it or coming back.
//
//   upgrade   the image goes to the other slot and is read back; GRUB is told to try that slot a single time; restart
//   settle    at the end of each start: a slot that is only tried is kept when the host is healthy, else the machine
//   starts again, and
//             that is the old slot, for GRUB has forgotten the try
//   rollback  the other slot is the one to start from now on; restart
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"

namespace domsmith {

struct RunningSlot {
  std::string group;  // the volume group
  std::string slot;   // "a" or "b"
  [[nodiscard]] std::string other() const { return slot == "a" ? "b" : "a"; }
};
// From the kernel's command line; unsupported: this is no installed host.
Result<RunningSlot> running_slot(std::string_view cmdline);

// `sha256` is what the image must have; empty: whatever it has. bad_input: the image is no slot, or larger than the
// volume.
Result<void> upgrade_slot(const RunningSlot& running, const std::filesystem::path& image, const std::string& sha256,
                          Progress& progress);
Result<void> rollback_slot(const RunningSlot& running);

// Devices of partitions that bear this name in a GPT: {"/dev/sda2", …}. Told by sysfs, nothing is read from a disk.
std::vector<std::string> partitions_named(std::string_view name, const std::filesystem::path& root = "/");

// What is wrong with this host; empty: nothing. xenstored answers, the bridges of /etc/systemd/network are there, the
// volume group has its pool, the guests can be listed, and every guest that starts with the host runs.
struct HealthSources {
  std::filesystem::path program;
  std::filesystem::path root = "/";
};
// Of these the guests' part.
std::vector<std::string> guest_faults(const HealthSources& sources);
Result<std::vector<std::string>> host_faults(const RunningSlot& running, const HealthSources& sources);

enum class Settled { known, kept, refused };  // refused: the caller starts the machine again
// `look` tells what is wrong; it is asked of a slot that is only tried, for it takes a busy host a while.
Result<Settled> settle_slot(const RunningSlot& running, const std::function<std::vector<std::string>()>& look);

}  // namespace domsmith
