#include "provision/toolstack/creation_remedy.h"

#include <algorithm>
#include <string_view>

namespace domsmith {
namespace {

bool mentions(std::span<const std::string> log, std::string_view words) {
  return std::ranges::any_of(log, [&](const std::string& line) { return line.find(words) != std::string::npos; });
}

}  // namespace

std::string creation_remedy(std::span<const std::string> log) {
  // libxl_internal.h, LIBXL_HOTPLUG_TIMEOUT
  if (mentions(log, "/etc/xen/scripts/") && mentions(log, "because of timeout")) {
    return "try again when this host is less busy: Xen gives its device scripts 40 s; /var/log/xen/xen-hotplug.log "
           "says more";
  }
  if (mentions(log, "/etc/xen/scripts/") || mentions(log, "hotplug")) {
    return "see /var/log/xen/xen-hotplug.log: a device of the guest could not be connected";
  }
  if (mentions(log, "no loader found") || mentions(log, "xc_dom_parse_image")) {
    return "the kernel is none that Xen can boot in a domain of this type: build the image again, or take a template "
           "of the other type";
  }
  return {};
}

}  // namespace domsmith
