// What a domain needs of this host before it is created; libxl's own complaint about it comes late and says little.
#pragma once

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/domain/xl_settings.h"

namespace domsmith {

// not_found: the kernel, the ramdisk, a disk or a bridge. `sys_class_net` is for tests.
Result<void> preflight(const DomainSpec& spec, const XlSettings& settings,
                       const std::string& sys_class_net = "/sys/class/net");

}  // namespace domsmith
