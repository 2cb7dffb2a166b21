// What libxl is given for a domain, as text: to compare with what xl(1) makes of the same guest's xl.cfg (`xl -N create
// FILE`).
#pragma once

#include <string>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

// libxl's own JSON of its libxl_domain_config. Needs a host that runs Xen.
Result<std::string> domain_config_json(const DomainSpec& spec);

}  // namespace domsmith
