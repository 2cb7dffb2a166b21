// Making a domain and taking it away: what the toolstack and the monitors share.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/domain/xl_settings.h"
#include "provision/toolstack/libxl_context.h"

namespace domsmith {

// A paused domain, complete with its devices. no_space; not_found for files and bridges that are not there.
Result<std::uint32_t> create_paused(LibxlContext& libxl, const DomainSpec& spec, const XlSettings& settings);
Result<void> unpause_domain(LibxlContext& libxl, std::uint32_t domid);
Result<void> destroy_domain(LibxlContext& libxl, std::uint32_t domid);  // one that is gone already is fine

// What the hypervisor says of it; nullopt: there is none of that number.
Result<std::optional<libxl_dominfo>> domain_info(LibxlContext& libxl, std::uint32_t domid);

}  // namespace domsmith
