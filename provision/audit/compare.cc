#include "provision/audit/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace domsmith {

bool settled(const GuestRecord& guest) { return guest.state == GuestState::ready; }
bool settled(const ImageRecord& image) { return image.state == ImageState::ready; }

namespace {

std::string guest_subject(const GuestRecord& guest) { return "guest " + guest.name; }
std::string image_subject(const ImageRecord& image) { return "image " + image.name; }

// Rows that an operation holds: of a living process they are not looked at, of a dead one they are recovered.
template <class Record>
void compare_held(const World& world, const Record& record, const std::string& subject, std::vector<Difference>& into) {
  if (world.running.contains(record.operation) || world.cut_off.contains(record.operation)) {
    return;  // what was cut off is told once an operation
  }
  into.push_back({.kind = "held-by-nobody",
                  .subject = subject,
                  .text = fmt::format("it is {} for operation {}, which the journal does not know",
                                      state_text(record.state), record.operation),
                  .remedy = "domsmith gc takes away what that operation left",
                  .name = record.name,
                  .store = record.store});
}

void compare_image(const StoreView& store, const ImageRecord& image, std::vector<Difference>& into) {
  const VolumeInfo* volume = store.find(image.volume);
  const auto add = [&](std::string kind, std::string text, std::string remedy) {
    into.push_back({.kind = std::move(kind),
                    .subject = image_subject(image),
                    .text = std::move(text),
                    .remedy = std::move(remedy),
                    .name = image.name,
                    .store = image.store});
  };
  if (volume == nullptr) {
    add("volume-missing", fmt::format("its volume '{}' is not in {}", image.volume, store.name),
        "bring the volume back, or remove its guests and then the image: domsmith image remove " + image.name);
  } else if (volume->kind != VolumeKind::golden) {
    add("not-golden", fmt::format("its volume '{}' in {} is not a golden one", image.volume, store.name),
        "domsmith image verify " + image.name);
  } else if (volume->size < image.size) {
    add("size",
        fmt::format("its volume is {} long and was made with {}", size_text(volume->size), size_text(image.size)),
        "domsmith image verify " + image.name);
  }
}

void compare_guest(const World& world, const StoreView& store, const GuestRecord& guest,
                   std::vector<Difference>& into) {
  const VolumeInfo* volume = store.find(guest.volume);
  const auto add = [&](std::string kind, std::string text, std::string remedy) {
    into.push_back({.kind = std::move(kind),
                    .subject = guest_subject(guest),
                    .text = std::move(text),
                    .remedy = std::move(remedy),
                    .name = guest.name,
                    .store = guest.store});
  };
  const std::string remove = "domsmith guest remove " + guest.name;
  if (volume == nullptr) {
    add("volume-missing", fmt::format("its volume '{}' is not in {}", guest.volume, store.name),
        "bring the volume back, or remove the guest: " + remove);
    return;
  }
  if (volume->kind != VolumeKind::clone) {
    add("not-a-clone", fmt::format("its volume '{}' in {} is not a clone", guest.volume, store.name), remove);
    return;
  }
  const ImageRecord* image = world.image(guest.store, guest.image);
  const std::string golden = image != nullptr ? image->volume : guest.image;
  if (!volume->origin.empty() && volume->origin != golden) {
    add("origin", fmt::format("its volume was made from '{}', and the registry says '{}'", volume->origin, golden),
        "a reset would change its system; look at both images, or remove the guest: " + remove);
  }
}

// Volumes that no row has. A golden one is an image that another registry made: it is entered when it is first used.
void compare_unowned(const World& world, const StoreView& store, std::vector<Difference>& into) {
  const auto owned = world.owned_volumes(store.name);
  for (const VolumeInfo& volume : store.survey.volumes) {
    if (volume.kind != VolumeKind::golden && !owned.contains(volume.name)) {
      into.push_back(
          {.kind = "volume-unowned",
           .subject = fmt::format("volume {}", volume.name),
           .text = fmt::format("{} in {} that no guest and no image has",
                               volume.kind == VolumeKind::clone ? "a clone" : "an unfinished image", store.name),
           .remedy = "domsmith gc removes it",
           .name = volume.name,
           .store = store.name});
    }
  }
  for (const StoreStray& stray : store.survey.strays) {
    into.push_back({.kind = "store-stray",
                    .subject = stray.subject,
                    .text = fmt::format("{}, in {}", stray.text, store.name),
                    .repair = stray.recoverable ? Repair::recover : Repair::none,
                    .remedy = stray.remedy,
                    .name = stray.subject,
                    .store = store.name});
  }
}

}  // namespace

void compare_stores(const World& world, std::vector<Difference>& into) {
  for (const std::string& id : world.cut_off) {
    into.push_back({.kind = "cut-off",
                    .subject = "operation " + id,
                    .text = "its process died in the middle",
                    .repair = Repair::recover,
                    .remedy = {},
                    .name = id,
                    .store = {}});
  }
  for (const StoreView& store : world.stores) {
    if (!store.unreadable.empty()) {
      into.push_back({.kind = "store-unreadable",
                      .subject = store.name,
                      .text = store.unreadable,
                      .remedy = "domsmith doctor --store " + store.name,
                      .name = {},
                      .store = store.name});
    } else {
      compare_unowned(world, store, into);
    }
  }
  for (const ImageRecord& image : world.images) {
    const StoreView* store = world.store(image.store);
    if (!settled(image)) {
      compare_held(world, image, image_subject(image), into);
    } else if (store != nullptr && store->unreadable.empty()) {
      compare_image(*store, image, into);
    }
  }
  for (const GuestRecord& guest : world.guests) {
    const StoreView* store = world.store(guest.store);
    if (!settled(guest)) {
      compare_held(world, guest, guest_subject(guest), into);
    } else if (store != nullptr && store->unreadable.empty()) {
      compare_guest(world, *store, guest, into);
    }
  }
}

std::vector<Difference> compare(const World& world) {
  std::vector<Difference> differences;
  compare_stores(world, differences);
  compare_configs(world, differences);
  compare_domains(world, differences);
  return differences;
}

std::string_view repair_text(Repair repair) {
  switch (repair) {
    case Repair::none:
      break;
    case Repair::recover:
      return "finishes or undoes it, as domsmith recover does";
    case Repair::write_config:
      return "writes its config anew";
    case Repair::take_autostart:
      return "enters that in the registry";
    case Repair::put_boot_files:
      return "takes them out of the image again";
    case Repair::activate:
      return "marks its volume as in use";
    case Repair::deactivate:
      return "puts its volume away";
  }
  return {};
}

nlohmann::json difference_json(const Difference& difference) {
  return {{"kind", difference.kind},
          {"subject", difference.subject},
          {"text", difference.text},
          {"fix", repair_text(difference.repair)},
          {"remedy", difference.remedy}};
}

}  // namespace domsmith
