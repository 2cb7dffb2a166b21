// Starting and stopping guests: the volume is made available, the config read, the toolstack asked.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "provision/guests/batch.h"
#include "provision/toolstack/toolstack.h"
#include "provision/workplace.h"

namespace domsmith {

// From /etc/xen/NAME.cfg as it is now, so that what a person changed there counts. busy: it is being made, reset or
// removed. exists: it runs already. A clone that waits for its identity gets it first.
Result<RunningDomain> start_guest(Workplace& place, Toolstack& toolstack, const std::string& name, Progress& progress);

// Asks all of them to power off, then waits for all; after `patience` a guest is busy, or destroyed where `force` says
// so. The volumes of those that ended are put away. What failed comes in one Error at the end, after the others were
// stopped. not_found: a guest does not run.
struct StopOptions {
  std::chrono::milliseconds patience{60'000};
  bool force = false;
};
Result<void> stop_guests(Workplace& place, Toolstack& toolstack, std::span<const GuestRecord> guests,
                         const StopOptions& options);

// Who runs now; empty where the host does not run Xen.
Result<RunningNames> running_names(Toolstack* toolstack);

}  // namespace domsmith
