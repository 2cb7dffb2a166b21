// What a disk or a partition is to /init: where neither LVM nor md has anything, their programs need not run.
#pragma once

#include <string>

namespace domsmith::host_init {

struct Signatures {
  bool volumes = false;       // an LVM2 label (lvm2: lib/label/label.h): in one of the first four sectors
  bool array_member = false;  // an md superblock (md(4)): 1.1 at the begin, 1.2 at 4 KiB, 1.0 and 0.90 near the end
};

// Nothing for a device that cannot be read.
Signatures read_signatures(const std::string& device);

}  // namespace domsmith::host_init
