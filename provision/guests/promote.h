// `domsmith guest promote`: what a guest has become is the golden image of further ones. Its volume is copied, its
// identity taken out of the copy, and the copy sealed; the guest itself stays as it is.
//
//   journal steps: those of make_image(), verb "promote"
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/guests/batch.h"
#include "provision/workplace.h"

namespace domsmith {

struct PromotePlan {
  GuestRecord guest;
  ImageRecord origin;                        // what it was cloned from
  ImageRecord image;                         // what comes of it, as far as that is known before
  std::vector<std::string> volume_commands;  // external commands that the store would run
};

// `version` empty: the origin's. bad_input: no name for an image. not_found: its volume.
Result<PromotePlan> plan_promote(Workplace& place, VolumeStore& store, const GuestRecord& guest,
                                 const std::string& image, const std::string& version);
std::string plan_text(const PromotePlan& plan);
nlohmann::json plan_json(const PromotePlan& plan);

// busy: the guest runs. unsupported: its file system was not unmounted cleanly. exists: an image of that name.
Result<ImageRecord> promote_guest(Workplace& place, VolumeStore& store, const PromotePlan& plan,
                                  const RunningNames& running, Progress& progress);

}  // namespace domsmith
