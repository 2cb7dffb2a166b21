#include "provision/guests/changes_report.h"

#include <fmt/format.h>

#include <map>

#include "base/interrupt.h"

namespace domsmith {

Result<GuestComparer> GuestComparer::of(Workplace& place, VolumeStore& store) {
  GuestComparer comparer(place, store);
  for (const VolumeInfo& volume : TRY(store.list())) {
    if (volume.fresh) {
      comparer.fresh_.insert(volume.name);
    }
  }
  return comparer;
}

Result<Changes> GuestComparer::changes(const GuestRecord& guest) {
  if (fresh_.contains(guest.volume)) {
    return Changes();
  }
  std::unique_ptr<BlockTarget>& origin = origins_[guest.image];
  if (!origin) {
    const ImageRecord image = TRY(place_->registry.find_image(guest.store, guest.image));
    origin = TRY(store_->open(image.volume, Access::read_only));
  }
  const std::unique_ptr<BlockTarget> clone = TRY(store_->open(guest.volume, Access::read_only));
  return TRY_AS(changes_of(*origin, *clone, guest.identity),
                fmt::format("cannot tell what guest '{}' has written", guest.name));
}

Result<std::vector<GuestChanges>> report_changes(Workplace& place, std::span<const GuestRecord> guests, bool files,
                                                 Progress& progress) {
  std::vector<GuestChanges> all;
  std::map<std::string, std::vector<std::size_t>> by_store;
  for (const GuestRecord& guest : guests) {
    by_store[guest.store].push_back(all.size());
    all.push_back({.guest = guest.name, .image = guest.image, .bytes = {}, .files = {}});
  }
  progress.begin("changes", guests.size(), "guests");
  std::uint64_t done = 0;
  for (const auto& [store_name, places] : by_store) {
    const std::unique_ptr<VolumeStore> store = TRY(place.open_store(store_name));
    std::vector<std::string> volumes;
    for (const std::size_t i : places) {
      volumes.push_back(guests[i].volume);
    }
    std::optional<GuestComparer> comparer;
    if (files) {
      comparer = TRY(GuestComparer::of(place, *store));
    }
    const std::vector<std::optional<std::uint64_t>> bytes = TRY(store->changed_bytes(volumes));
    for (std::size_t n = 0; n < places.size(); ++n) {
      TRY(check_interrupted());
      all[places[n]].bytes = bytes[n];
      if (comparer) {
        all[places[n]].files = TRY(comparer->changes(guests[places[n]]));
      }
      progress.advance("changes", ++done, guests.size(), "guests");
    }
  }
  progress.end("changes");
  return all;
}

}  // namespace domsmith
