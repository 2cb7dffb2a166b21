// The opposite of write.h: a clone's file system becomes one that any number of clones can be made of. What one
// machine is known by goes: machine-id, SSH host keys, seeds, leases, network files with its MACs, the keys that came
// with its identity. What was installed and configured on it stays.
#pragma once

#include <string_view>

#include "base/result.h"
#include "provision/identity/plan.h"

namespace domsmith {

// `hostname`: what the system is called from now on, as a build calls it after its image.
IdentityPlan plan_without_identity(const ImageFacts& facts, const Identity& identity, std::string_view hostname);

// facts -> plan -> files, and the machine's own logs and history. The caller flushes and closes `fs`.
Result<void> remove_identity(extfs::FileSystem& fs, const Identity& identity, std::string_view hostname);

}  // namespace domsmith
