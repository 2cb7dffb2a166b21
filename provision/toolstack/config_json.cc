#include "provision/toolstack/config_json.h"

#include <cstdlib>

#include "provision/toolstack/domain_config.h"
#include "provision/toolstack/xen_facts.h"

namespace domsmith {

Result<std::string> domain_config_json(const DomainSpec& spec) {
  TRY(require_xen(xen_presence()));
  const auto libxl = TRY(LibxlContext::open());
  const auto settings = TRY(read_xl_settings());
  const auto config = TRY(domain_config(*libxl, spec, settings));
  char* const text = libxl_domain_config_to_json(libxl->get(), config.get());
  if (text == nullptr) {
    return libxl->failure("cannot show a domain's configuration as JSON", ERROR_FAIL);
  }
  std::string json(text);
  std::free(text);
  return json;
}

}  // namespace domsmith
