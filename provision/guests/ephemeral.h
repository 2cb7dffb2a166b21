// Ephemeral guests: what they write lives until they end. At each start of such a guest its volume is the golden
// image's again, with its own identity.
#pragma once

#include <span>

#include "base/progress.h"
#include "provision/toolstack/toolstack.h"
#include "provision/workplace.h"

namespace domsmith {

// Before a start: resets those of the guests that are ephemeral and do not run, in one batch for each store.
Result<void> refresh_ephemeral(Workplace& place, Toolstack& toolstack, std::span<const GuestRecord> guests,
                               Progress& progress);

}  // namespace domsmith
