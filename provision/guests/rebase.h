// `domsmith guest rebase`: guests become clones of another golden image and keep who they are: name, MACs, machine-id,
// host keys. Their volumes are made anew from that image, so what was written into them is lost: refused where
// something was, unless forced or the guest is ephemeral.
//
//   journal steps: mark (each guest's former image) | commit, then volumes, identities, configs, ready
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/guests/batch.h"
#include "provision/workplace.h"

namespace domsmith {

struct RebaseRequest {
  std::string image;   // ready, in the guests' store
  bool force = false;  // what was written may be lost
};

std::string plan_text(std::span<const GuestRecord> guests, const RebaseRequest& request);
nlohmann::json plan_json(std::span<const GuestRecord> guests, const RebaseRequest& request);

// busy: one of them runs. failed: one of them has written something (which is named), and it is not forced. Guests of
// several stores are taken store by store.
Result<void> rebase_guests(Workplace& place, std::span<const GuestRecord> guests, const RebaseRequest& request,
                           const RunningNames& running, Progress& progress);

// Of an operation "rebase" that died. The caller ends it.
Result<void> recover_rebase(Workplace& place, Operation& operation, Progress& progress);

}  // namespace domsmith
