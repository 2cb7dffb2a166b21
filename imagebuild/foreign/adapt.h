// What makes a system that was installed on another machine one that boots as a Xen guest, and one to be cloned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith::extfs {
class FileSystem;
}

namespace domsmith::foreign {

// fstab(5): the root becomes /dev/xvda; lines of other file systems that came into the tree, of swap and of disks that
// a guest does not have stay as comments; what needs no disk (tmpfs, nfs) stays.
std::string adapted_fstab(std::string_view fstab, const std::vector<std::string>& mountpoints,
                          const std::string& root_type);

// inittab(5): a login on hvc0 where there is none. "" stays "": a systemd starts one by itself for console=hvc0.
std::string adapted_inittab(std::string_view inittab);

// Both of these, securetty(5), and what belongs to one machine alone: host keys, machine-id, saved randomness.
Result<void> adapt_system(extfs::FileSystem& image, const std::vector<std::string>& mountpoints,
                          const std::string& root_type);

}  // namespace domsmith::foreign
