#include "imagebuild/foreign/guestfs_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace domsmith::foreign {
namespace {

constexpr const char* kFile = "libguestfs.so.0";

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool fill(void* library, GuestfsLibrary& functions) {
  return find(library, "guestfs_add_drive_opts", functions.add_drive_opts) &&
         find(library, "guestfs_blockdev_getsize64", functions.blockdev_getsize64) &&
         find(library, "guestfs_close", functions.close) && find(library, "guestfs_create", functions.create) &&
         find(library, "guestfs_inspect_get_arch", functions.inspect_get_arch) &&
         find(library, "guestfs_inspect_get_mountpoints", functions.inspect_get_mountpoints) &&
         find(library, "guestfs_inspect_get_type", functions.inspect_get_type) &&
         find(library, "guestfs_inspect_os", functions.inspect_os) &&
         find(library, "guestfs_last_error", functions.last_error) &&
         find(library, "guestfs_launch", functions.launch) && find(library, "guestfs_mount_ro", functions.mount_ro) &&
         find(library, "guestfs_set_backend", functions.set_backend) &&
         find(library, "guestfs_set_backend_setting", functions.set_backend_setting) &&
         find(library, "guestfs_set_error_handler", functions.set_error_handler) &&
         find(library, "guestfs_set_memsize", functions.set_memsize) &&
         find(library, "guestfs_tar_out_opts", functions.tar_out_opts);
}

}  // namespace

Result<const GuestfsLibrary*> guestfs_library() {
  static GuestfsLibrary functions{};
  static const bool there = [] {
    void* library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);  // it stays until the program ends
    return library != nullptr && fill(library, functions);
  }();
  if (!there) {
    return fail(ErrorCode::unsupported,
                fmt::format("{} is not on this host, and disks of other systems are read with it", kFile),
                "apt-get install --no-install-recommends libguestfs0 linux-image-amd64");
  }
  return &functions;
}

}  // namespace domsmith::foreign
