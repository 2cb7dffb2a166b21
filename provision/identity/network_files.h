// The files that tell each network system about a clone's interfaces. Interfaces are matched by their MAC, for what the
// kernel calls a Xen interface has changed: eth0 until systemd 252, enX0 since (systemd.net-naming-scheme(7), v253).
#pragma once

#include <vector>

#include "provision/identity/plan.h"

namespace domsmith {

std::vector<PlannedFile> network_files(const ImageFacts& facts, const Identity& identity);

}  // namespace domsmith
