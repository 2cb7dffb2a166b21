// `audit --fix`: the repairs that lose nothing. Each can be repeated, and is made under the locks that its verb takes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "provision/audit/compare.h"
#include "provision/domain/template.h"

namespace domsmith {

struct RepairNeeds {
  std::function<Result<DomainTemplate>(std::string_view name)> load_template;
  std::string bridge;              // the settings'
  Toolstack* toolstack = nullptr;  // null: this host runs no guests
};

struct RepairOutcome {
  Difference difference;
  std::string failure;  // empty: it is repaired
};

// Those of the differences that have a repair, in their order.
std::vector<RepairOutcome> repair(Workplace& place, const std::vector<Difference>& differences,
                                  const RepairNeeds& needs, Progress& progress);

}  // namespace domsmith
