// The volumes of guests as they are when they are made: what the golden image holds, as a snapshot or as a copy.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/workplace.h"

namespace domsmith {

// Copies of the image's used blocks for these guests, which share nothing with it. Each gets its identity while nothing
// can run it, and its name and kind after that. A volume that has such a name already is removed first, so that a copy
// that was cut off can be made again. An image longer than a guest's former volume is no hindrance.
Result<void> make_full_copies(VolumeStore& store, const ImageRecord& image, std::span<const GuestRecord> guests,
                              Progress& progress);
[[nodiscard]] std::vector<std::string> plan_full_copies(const VolumeStore& store, const ImageRecord& image,
                                                        std::span<const std::string> names);

// Back to what their images hold. It can be repeated, and finishes what was cut off.
Result<void> fresh_volumes(Workplace& place, VolumeStore& store, std::span<const GuestRecord> guests,
                           Progress& progress);

}  // namespace domsmith
