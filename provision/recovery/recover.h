// `domsmith recover`, and the start of every verb that changes something: operations whose process died are finished or
// undone, so that a thing is absent or complete, never half. A second recovery finds nothing to do.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/workplace.h"

namespace domsmith {

struct RecoveredOperation {
  std::string id;
  std::string verb;
  std::string outcome;  // "undid the clone of 5 guests"
};

// Oldest first. An operation that cannot be recovered now is an Error at the end, after the others were tried; it stays
// in the journal.
Result<std::vector<RecoveredOperation>> recover(Workplace& place, Progress& progress);

}  // namespace domsmith
