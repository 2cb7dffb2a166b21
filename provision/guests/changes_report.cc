#include "provision/guests/changes_report.h"

#include <fmt/format.h>

#include <map>

#include "base/interrupt.h"

namespace domsmith {

namespace {

Result<Changes> files_of(Workplace& place, VolumeStore& store, const GuestRecord& guest) {
  if (TRY(store.find(guest.volume)).fresh) {
    return Changes();  // nothing was ever written to it
  }
  const ImageRecord image = TRY(place.registry.find_image(guest.store, guest.image));
  const std::unique_ptr<BlockTarget> origin = TRY(store.open(image.volume, Access::read_only));
  const std::unique_ptr<BlockTarget> clone = TRY(store.open(guest.volume, Access::read_only));
  return changes_of(*origin, *clone, guest.identity);
}

}  // namespace

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
    const std::vector<std::optional<std::uint64_t>> bytes = TRY(store->changed_bytes(volumes));
    for (std::size_t n = 0; n < places.size(); ++n) {
      TRY(check_interrupted());
      const GuestRecord& guest = guests[places[n]];
      all[places[n]].bytes = bytes[n];
      if (files) {
        all[places[n]].files =
            TRY_AS(files_of(place, *store, guest), fmt::format("cannot tell what guest '{}' has written", guest.name));
      }
      progress.advance("changes", ++done, guests.size(), "guests");
    }
  }
  progress.end("changes");
  return all;
}

}  // namespace domsmith
