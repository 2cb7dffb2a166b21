// The domains of guests, from what is recorded of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "provision/domain/template.h"
#include "provision/workplace.h"

namespace domsmith {

struct DomainBasis {
  const ImageRecord& image;
  const DomainTemplate& domain;
  const std::string& bridge;  // for interfaces whose template names none
};

// In the order of the guests, which are clones of the one image in `store`. failed: a volume is gone.
Result<std::vector<DomainSpec>> domain_specs(const Workplace& place, VolumeStore& store, const DomainBasis& basis,
                                             std::span<const GuestRecord> guests);

}  // namespace domsmith
