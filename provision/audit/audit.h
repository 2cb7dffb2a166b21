// `domsmith audit`: is all as the registry says?
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "provision/audit/compare.h"

namespace domsmith {

struct AuditedCounts {
  std::size_t images = 0, guests = 0, stores = 0, volumes = 0, configs = 0;
  std::optional<std::size_t> domains;  // nullopt: nobody could tell
};

struct Audit {
  AuditedCounts looked_at;
  std::vector<Difference> differences;  // empty: all is as the registry says
};

// What is found is looked at a second time, and told only where it is there still: verbs that run meanwhile change
// things one after the other.
Result<Audit> audit(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack);

// "all is as the registry says: 2 images, 500 guests, 502 volumes in 1 store, 500 configs"
std::string counts_text(const AuditedCounts& counts);
nlohmann::json counts_json(const AuditedCounts& counts);

}  // namespace domsmith
