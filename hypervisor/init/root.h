// What /init of the hypervisor mounts: the slot's squashfs, read-only, and over its /etc, /var and /root what the host
// keeps for itself.
//
//   installed  domsmith.group=VG domsmith.slot=a|b   the slot is the volume VG/slot-a, the host's own the ext4 of
//   VG/state medium     domsmith.live                         the slot is a file of the medium (CD or USB stick), the
//   host's own in memory
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace domsmith::host_init {

struct Wanted {
  bool live = false;
  std::string group;
  std::string slot;
};

// nullopt: the command line asks for neither, or for a name that LVM would not have.
std::optional<Wanted> read_wanted(std::string_view cmdline);

// "vg0-slot--a": a '-' in either name is doubled (dmsetup(8), "Mangling"); GRUB calls volumes so, too.
std::string mapper_name(std::string_view group, std::string_view volume);
// "/dev/mapper/vg0-slot--a"
std::string mapper_path(std::string_view group, std::string_view volume);

}  // namespace domsmith::host_init
