// Loads the kernel modules of the initramfs in the order of its list.
#pragma once

#include <string>
#include <string_view>

namespace domsmith::agent {

// The initramfs's list: a path a line, in load order.
inline constexpr const char* module_list = "/modules";

// "/lib/modules/xen-blkfront.ko" -> "xen-blkfront"
std::string_view module_name(std::string_view path);

// finit_module(2) for each path of `list`, with the options that `cmdline` holds for it. A driver whose hardware is not
// there (ENODEV) and one that is there already are fine; other failures are warned of, for the root may mount without.
void load_modules(std::string_view list, std::string_view cmdline);

}  // namespace domsmith::agent
