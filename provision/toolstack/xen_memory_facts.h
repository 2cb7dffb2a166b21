// Those of the facts that only the hypervisor itself knows.
#pragma once

#include "provision/toolstack/xen_facts.h"

namespace domsmith {

// Leaves out what libxl does not tell.
void add_memory_facts(XenFacts& facts);

}  // namespace domsmith
