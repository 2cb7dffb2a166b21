#include "imagebuild/foreign/guestfs_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace domsmith::foreign {
namespace {

constexpr const char* kFile = "libguestfs.so.0";

bool fill(void* library, GuestfsLibrary& functions) {
  bool all = true;
  // The member's name is the function's, without "guestfs_".
#define DOMSMITH_FIND(name)                                                                        \
  functions.name = reinterpret_cast<decltype(functions.name)>(::dlsym(library, "guestfs_" #name)); \
  all = all && functions.name != nullptr;
  DOMSMITH_GUESTFS_FUNCTIONS(DOMSMITH_FIND)
#undef DOMSMITH_FIND
  return all;
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
