// libguestfs (guestfs(3)), loaded when the first foreign disk is read: only then does a host need it. A Xen host that
// clones images lacks it, and the program starts there all the same.
#pragma once

#include <guestfs.h>

#include "base/result.h"

namespace domsmith::foreign {

// The functions that we use, under their names without "guestfs_".
struct GuestfsLibrary {
  decltype(&guestfs_add_drive_opts) add_drive_opts;
  decltype(&guestfs_blockdev_getsize64) blockdev_getsize64;
  decltype(&guestfs_close) close;
  decltype(&guestfs_create) create;
  decltype(&guestfs_inspect_get_arch) inspect_get_arch;
  decltype(&guestfs_inspect_get_mountpoints) inspect_get_mountpoints;
  decltype(&guestfs_inspect_get_type) inspect_get_type;
  decltype(&guestfs_inspect_os) inspect_os;
  decltype(&guestfs_last_error) last_error;
  decltype(&guestfs_launch) launch;
  decltype(&guestfs_mount_ro) mount_ro;
  decltype(&guestfs_set_backend) set_backend;
  decltype(&guestfs_set_backend_setting) set_backend_setting;
  decltype(&guestfs_set_error_handler) set_error_handler;
  decltype(&guestfs_set_memsize) set_memsize;
  decltype(&guestfs_tar_out_opts) tar_out_opts;
};

// unsupported, with the package to install, where the library is absent.
Result<const GuestfsLibrary*> guestfs_library();

}  // namespace domsmith::foreign
