// A DomainSpec as libxl wants it: the same that xl(1) makes of the same guest's xl.cfg (tools/xl/xl_parse.c,
// parse_config_data).
#pragma once

#include <memory>

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/domain/xl_settings.h"
#include "provision/toolstack/libxl_context.h"

namespace domsmith {

struct DomainConfigDispose {
  void operator()(libxl_domain_config* config) const;
};
using DomainConfig = std::unique_ptr<libxl_domain_config, DomainConfigDispose>;

Result<DomainConfig> domain_config(LibxlContext& libxl, const DomainSpec& spec, const XlSettings& settings);

}  // namespace domsmith
