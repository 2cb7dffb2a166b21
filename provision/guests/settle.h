// Writing an identity into a clone's file system: the step between "the clone exists" and "the clone may run".
//
// Who calls it decides when that is: the clone's own operation does so at once, and a reset again. Nothing else may
// make a clone runnable.
#pragma once

#include <span>

#include "base/progress.h"
#include "provision/workplace.h"

namespace domsmith {

// Opens each guest's volume, writes its identity, closes it. It can be repeated.
Result<void> settle_identities(VolumeStore& store, std::span<const GuestRecord> guests, Progress& progress);

}  // namespace domsmith
