// Writes an identity into a clone's ext4 file system: no mount, no boot. A step of its own, after the clone was made
// and before it first runs; it can be repeated, and the second time changes nothing.
#pragma once

#include "base/progress.h"
#include "base/result.h"
#include "provision/identity/plan.h"

namespace domsmith {

// facts -> plan -> files. Files whose bytes, mode and owner are right already are not touched, so that few blocks of a
// thin clone are copied. no_space: the file system is full; failed: it is damaged. The caller flushes and closes `fs`.
Result<void> write_identity(extfs::FileSystem& fs, const Identity& identity, Progress& progress);

// The executor by itself.
Result<void> apply_identity_plan(extfs::FileSystem& fs, const IdentityPlan& plan, Progress& progress);

}  // namespace domsmith
