// Room for a domain in the host's memory.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "provision/domain/xl_settings.h"
#include "provision/toolstack/domain_config.h"
#include "provision/toolstack/libxl_context.h"

namespace domsmith {

// no_space, with how much is free, where the domain does not fit. As xl does, dom0 is made smaller for it where the
// host's memory was left to dom0 (xl.conf(5), autoballoon).
Result<void> make_room(LibxlContext& libxl, libxl_domain_config& config, const XlSettings& settings);

Result<std::uint64_t> free_memory_kib(LibxlContext& libxl);

}  // namespace domsmith
