// Verbs on guests that exist: reset (back to the golden image, same identity) and remove. Both can only be finished
// once they have begun, never undone: what a crash leaves is completed by a recovery.
//
//   journal steps: mark | commit, then volumes, (identities) (reset), or configs, volumes, rows (remove)
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "provision/workplace.h"

namespace domsmith {

// The guests whose names are given or match a glob ("web-*"), each once, in natural order. not_found where one of the
// words fits nobody.
Result<std::vector<GuestRecord>> select_guests(Registry& registry, std::span<const std::string> words);

// Names of domains that run now; empty on a host without Xen.
using RunningNames = std::set<std::string, std::less<>>;
// busy: one of them runs.
Result<void> check_stopped(std::span<const GuestRecord> guests, const RunningNames& running);

// busy where one of them runs. Guests of several stores are taken store by store.
// `settle`: reset guests get their identity at once, though it could wait for their next start (settle.h).
Result<void> reset_guests(Workplace& place, std::span<const GuestRecord> guests, const RunningNames& running,
                          Progress& progress, bool settle = false);
Result<void> remove_guests(Workplace& place, std::span<const GuestRecord> guests, const RunningNames& running,
                           Progress& progress);

bool is_guest_operation(std::string_view verb);  // clone, reset, remove, rebase, resize
Result<std::string> recover_guest_operation(Workplace& place, Operation& operation, Progress& progress);

}  // namespace domsmith
