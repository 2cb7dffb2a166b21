// Starting a guest against resetting or removing it: a start holds the lock shared from its look at the registry until
// the domain exists; a reset or removal holds it alone while it looks for running domains and marks its guests.
#pragma once

#include "base/file.h"
#include "provision/workplace.h"

namespace domsmith {

inline Result<FileLock> lock_guests(const Workplace& place, FileLock::Mode mode) {
  return FileLock::acquire(place.state / "locks" / "guests.lock", mode);
}

}  // namespace domsmith
