// Writing an identity into a clone's file system: the step between "the clone exists" and "the clone may run".
//
// A store that makes fresh clones (lvm-snapshots/store.h) has no device for one before that: there the identity waits,
// recorded in the registry, until the guest is first started. Nothing can run the clone meanwhile, neither domsmith nor
// xl with its config. Other stores get it at once, and so does a guest that starts with the host: there xl starts
// it without asking us. A full copy is never fresh: it holds its identity before it is a clone at all
// (fresh_volumes.h).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/workplace.h"

namespace domsmith {

// Writes a guest's identity into its file system.
Result<void> write_own(const GuestRecord& guest, BlockTarget& target, Progress& progress);

// Writes each guest's identity and makes its volume one that may run. It can be repeated.
Result<void> settle_identities(VolumeStore& store, std::span<const GuestRecord> guests, Progress& progress,
                               VolumeStore::Settled then = VolumeStore::Settled::put_away);

// Of guests that were just made or reset: those that cannot wait for their first start. `all`: none shall wait.
std::vector<GuestRecord> settled_at_once(const VolumeStore& store, std::span<const GuestRecord> guests, bool all);

// `guest settle`: the identities of those that still wait. `then` activated: the volumes of all are active afterwards,
// for xl. busy: a guest is being made, reset or removed. The names of those whose identity was written.
Result<std::vector<std::string>> settle_guests(Workplace& place, std::span<const GuestRecord> guests,
                                               VolumeStore::Settled then, Progress& progress);

}  // namespace domsmith
