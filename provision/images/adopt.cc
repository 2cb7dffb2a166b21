// known_image(): the registry's image, or the store's own.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "provision/images/inspect.h"
#include "provision/images/make_image.h"

namespace domsmith {

namespace {

Result<ImageRecord> ready_image(Result<ImageRecord> found) {
  if (found && found->state != ImageState::ready) {
    return fail(
        ErrorCode::busy,
        fmt::format("image '{}' is being {}", found->name, found->state == ImageState::making ? "made" : "removed"),
        "wait for that to end; should its process have died: domsmith recover");
  }
  return found;
}

Result<Inspection> inspect_volume(VolumeStore& store, const VolumeInfo& volume) {
  const std::unique_ptr<BlockTarget> target = TRY(store.open(volume.name, Access::read_only));
  return TRY_AS(inspect_image(*target), fmt::format("cannot use volume '{}' as an image", volume.name));
}

ImageRecord record_of_volume(const VolumeStore& store, const VolumeInfo& volume, const Inspection& seen) {
  ImageRecord record = record_of(seen);
  record.name = volume.name;
  record.volume = volume.name;
  record.store = store.name();
  record.size = volume.size;
  record.created = system_clock().now();
  return record;
}

Result<ImageRecord> adopt(Workplace& place, VolumeStore& store, const VolumeInfo& volume, Progress& progress) {
  progress.note(fmt::format("entering image {} of {} in the registry", volume.name, store.name()));
  const Inspection seen = TRY(inspect_volume(store, volume));
  ImageRecord record = record_of_volume(store, volume, seen);
  Operation operation = TRY(place.journal.begin("adopt", {{"store", store.name()}, {"image", record.name}}));
  return carry_out(
      std::move(operation),
      [&](Operation& begun) -> Result<ImageRecord> {
        record.operation = begun.id();
        TRY(begun.perform("reserve", nlohmann::json::object(), [&] { return place.registry.reserve_image(record); }));
        return enter_image(place, begun, record, seen.content);
      },
      [&](Operation& begun) -> Result<void> {
        TRY(undo_making(place, store, begun));
        return {};
      });
}

// The registry's answer, where it knows the image or cannot tell; else the store's golden volume of that name.
struct Found {
  Result<ImageRecord> row;
  std::optional<VolumeInfo> volume;  // to be adopted
};

Found find_anywhere(Workplace& place, VolumeStore& store, std::string_view name) {
  Found found{.row = place.registry.find_image(store.name(), name), .volume = {}};
  if (!found.row && found.row.error().code == ErrorCode::not_found) {
    const auto volume = store.find(name);
    if (volume && volume->kind == VolumeKind::golden) {
      found.volume = *volume;
    }
  }
  return found;
}

}  // namespace

Result<ImageRecord> look_at_image(Workplace& place, VolumeStore& store, std::string_view name) {
  Found found = find_anywhere(place, store, name);
  if (!found.volume) {
    return ready_image(std::move(found.row));
  }
  ImageRecord record = record_of_volume(store, *found.volume, TRY(inspect_volume(store, *found.volume)));
  record.state = ImageState::ready;
  return record;
}

Result<ImageRecord> known_image(Workplace& place, VolumeStore& store, std::string_view name, Progress& progress) {
  Found found = find_anywhere(place, store, name);
  if (!found.volume) {
    return ready_image(std::move(found.row));
  }
  // One process adopts, the others wait for its row.
  const FileLock turn = TRY(FileLock::acquire(place.state / "locks" / "adopt.lock"));
  auto again = place.registry.find_image(store.name(), name);
  if (again || again.error().code != ErrorCode::not_found) {
    return ready_image(std::move(again));
  }
  return adopt(place, store, *found.volume, progress);
}

}  // namespace domsmith
