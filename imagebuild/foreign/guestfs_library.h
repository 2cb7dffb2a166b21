// libguestfs (guestfs(3)), loaded when the first foreign disk is read: only then does a host need it. A Xen host that
// clones images lacks it, and the program starts there all the same.
#pragma once

#include <guestfs.h>

#include "base/result.h"

namespace domsmith::foreign {

// The functions that we use, without their "guestfs_".
#define DOMSMITH_GUESTFS_FUNCTIONS(USE) \
  USE(add_drive_opts)                   \
  USE(blockdev_getsize64)               \
  USE(close)                            \
  USE(create)                           \
  USE(inspect_get_arch)                 \
  USE(inspect_get_mountpoints)          \
  USE(inspect_get_type)                 \
  USE(inspect_os)                       \
  USE(last_error)                       \
  USE(launch)                           \
  USE(mount_ro)                         \
  USE(set_backend)                      \
  USE(set_backend_setting)              \
  USE(set_error_handler)                \
  USE(set_memsize)                      \
  USE(tar_out_opts)

struct GuestfsLibrary {
#define DOMSMITH_DECLARE(name) decltype(&guestfs_##name) name;
  DOMSMITH_GUESTFS_FUNCTIONS(DOMSMITH_DECLARE)
#undef DOMSMITH_DECLARE
};

// unsupported, with the package to install, where the library is absent.
Result<const GuestfsLibrary*> guestfs_library();

}  // namespace domsmith::foreign
