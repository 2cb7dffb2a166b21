// How far guests have gone from their golden images.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/guests/changes.h"
#include "provision/workplace.h"

namespace domsmith {

struct GuestChanges {
  std::string guest;
  std::string image;
  std::optional<std::uint64_t> bytes;  // in whole blocks of the store, its identity among them; nullopt: not known now
  std::optional<Changes> files;        // where they were asked for; its identity is left out
};

// `files`: every file of each guest is compared, which opens its volume: busy where one runs.
Result<std::vector<GuestChanges>> report_changes(Workplace& place, std::span<const GuestRecord> guests, bool files,
                                                 Progress& progress);

}  // namespace domsmith
