#include "provision/toolstack/xen_memory_facts.h"

#include "provision/toolstack/create_domain.h"
#include "provision/toolstack/libxl_context.h"

namespace domsmith {

void add_memory_facts(XenFacts& facts) {
  const auto libxl = LibxlContext::open();
  if (!libxl) {
    return;
  }
  libxl_physinfo physical;
  libxl_physinfo_init(&physical);
  const auto* version = libxl_get_version_info((*libxl)->get());
  if (version != nullptr && libxl_get_physinfo((*libxl)->get(), &physical) == 0) {
    const auto pages_per_mib = (kib_per_mib * kib_per_mib) / static_cast<std::uint64_t>(version->pagesize);
    facts.total_memory_mib = physical.total_pages / pages_per_mib;
    facts.free_memory_mib = physical.free_pages / pages_per_mib;
    facts.pvh = physical.cap_hvm && physical.cap_hap;
  }
  libxl_physinfo_dispose(&physical);
  if (const auto dom0 = domain_info(**libxl, 0); dom0 && *dom0) {
    facts.dom0_memory_mib = (*dom0)->current_memkb / kib_per_mib;
  }
}

}  // namespace domsmith
