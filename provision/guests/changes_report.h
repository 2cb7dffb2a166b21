// How far guests have gone from their golden images.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

// Compares the files of a store's guests with those of their golden images; most guests share one, which is opened
// once.
class GuestComparer {
 public:
  static Result<GuestComparer> of(Workplace& place, VolumeStore& store);
  // None of a clone that nothing was ever written to. busy: it runs.
  Result<Changes> changes(const GuestRecord& guest);

 private:
  GuestComparer(Workplace& place, VolumeStore& store) : place_(&place), store_(&store) {}
  Workplace* place_;
  VolumeStore* store_;
  std::set<std::string> fresh_;
  std::map<std::string, std::unique_ptr<BlockTarget>> origins_;  // by image
};

// `files`: every file of each guest is compared, which opens its volume: busy where one runs.
Result<std::vector<GuestChanges>> report_changes(Workplace& place, std::span<const GuestRecord> guests, bool files,
                                                 Progress& progress);

}  // namespace domsmith
