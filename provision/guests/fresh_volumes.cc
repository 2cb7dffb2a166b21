#include "provision/guests/fresh_volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/interrupt.h"
#include "provision/guests/settle.h"
#include "provision/images/copy_used.h"

namespace domsmith {

namespace {

Result<void> make_full_copy(VolumeStore& store, const ImageRecord& image, const GuestRecord& guest,
                            Progress& progress) {
  const std::string& name = guest.volume;
  TRY(store.remove(std::span(&name, 1)));
  TRY(store.create(name, image.size));
  {
    const std::unique_ptr<BlockTarget> from = TRY(store.open(image.volume, Access::read_only));
    const std::unique_ptr<BlockTarget> to = TRY(store.open(name, Access::read_write));
    TRY(copy_used_blocks(*from, *to, progress));
    TRY(write_own(guest, *to, progress));
    TRY(to->flush());
  }
  TRY(fail_point("full_copy.filled"));
  return store.adopt(name, image.volume);
}

}  // namespace

Result<void> make_full_copies(VolumeStore& store, const ImageRecord& image, std::span<const GuestRecord> guests,
                              Progress& progress) {
  progress.begin("copy", image.size, "bytes");
  for (const GuestRecord& guest : guests) {
    TRY(check_interrupted());
    TRY_AS(make_full_copy(store, image, guest, progress),
           fmt::format("cannot copy '{}' to '{}'", image.name, guest.volume));
  }
  progress.end("copy");
  return {};
}

std::vector<std::string> plan_full_copies(const VolumeStore& store, const ImageRecord& image,
                                          std::span<const std::string> names) {
  std::vector<std::string> commands;
  for (const std::string& name : names) {
    std::ranges::move(store.plan_create(name, image.size), std::back_inserter(commands));
    std::ranges::move(store.plan_adopt(name, image.volume), std::back_inserter(commands));
  }
  return commands;
}

Result<void> fresh_volumes(Workplace& place, VolumeStore& store, std::span<const GuestRecord> guests,
                           Progress& progress) {
  std::vector<std::string> snapshots;
  for (const GuestRecord& guest : guests) {
    if (!guest.full) {
      snapshots.push_back(guest.volume);
    }
  }
  TRY(store.reset(snapshots));
  for (const GuestRecord& guest : guests) {
    if (guest.full) {
      const ImageRecord image = TRY(place.registry.find_image(guest.store, guest.image));
      TRY(make_full_copies(store, image, std::span(&guest, 1), progress));
    }
  }
  return {};
}

}  // namespace domsmith
