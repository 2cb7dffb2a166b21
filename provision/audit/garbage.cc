#include "provision/audit/garbage.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/file.h"
#include "base/text.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/batch.h"
#include "provision/images/boot_shelf.h"
#include "provision/images/make_image.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

bool runs(const World& world, const std::string& name) { return world.domains && world.domains->contains(name); }

void find_volumes(const World& world, Garbage& garbage) {
  for (const StoreView& store : world.stores) {
    const auto owned = world.owned_volumes(store.name);
    GarbageVolumes found{.store = store.name, .names = {}, .commands = {}};
    for (const VolumeInfo& volume : store.survey.volumes) {
      if (volume.kind == VolumeKind::golden || owned.contains(volume.name)) {
        continue;
      }
      if (volume.active || runs(world, volume.name)) {
        garbage.kept.push_back(fmt::format("volume {} of {} is in use", volume.name, store.name));
      } else {
        found.names.push_back(volume.name);
      }
    }
    if (std::ranges::any_of(store.survey.strays, &StoreStray::recoverable)) {
      garbage.half_done.push_back(store.name);
    }
    if (!found.names.empty()) {
      garbage.volumes.push_back(std::move(found));
    }
  }
}

void find_configs(const World& world, Garbage& garbage) {
  std::unordered_set<std::string_view> guests;
  for (const GuestRecord& guest : world.guests) {
    guests.insert(guest.name);
  }
  for (const ConfigGlance& config : world.configs.configs) {
    if (!config.ours || guests.contains(config.stem) || !check_name("guest", config.stem)) {
      continue;
    }
    if (runs(world, config.stem) || runs(world, config.name)) {
      garbage.kept.push_back(fmt::format("{}.cfg is the config of a domain that runs", config.stem));
    } else {
      garbage.configs.push_back(config.stem);
    }
  }
  if (world.running.empty()) {  // a living process may be about to put them in place
    garbage.half_made = world.configs.half_made;
  }
}

template <class Record>
void find_operations(const World& world, const std::vector<Record>& records, std::vector<std::string>& operations) {
  for (const Record& record : records) {
    if (!record.operation.empty() && !world.running.contains(record.operation) &&
        !world.cut_off.contains(record.operation) &&
        std::ranges::find(operations, record.operation) == operations.end()) {
      operations.push_back(record.operation);
    }
  }
}

}  // namespace

bool Garbage::empty() const {
  return operations.empty() && volumes.empty() && half_done.empty() && configs.empty() && half_made.empty() &&
         boot_files.empty() && work.empty();
}

Result<Garbage> find_garbage(const World& world) {
  Garbage garbage;
  find_operations(world, world.images, garbage.operations);
  find_operations(world, world.guests, garbage.operations);
  find_volumes(world, garbage);
  find_configs(world, garbage);
  garbage.boot_files = world.idle_boot_files;
  garbage.work = world.strays;
  if (world.images.empty() && world.guests.empty() && !(garbage.volumes.empty() && garbage.configs.empty())) {
    return fail(ErrorCode::failed, "the registry knows no image and no guest, so that everything would be garbage",
                "bring the registry back, or remove by hand what 'domsmith audit' names");
  }
  return garbage;
}

Result<Garbage> find_garbage(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack) {
  Garbage garbage = TRY(find_garbage(TRY(look_at_world(place, stores, toolstack))));
  if (!garbage.empty() && TRY(find_garbage(TRY(look_at_world(place, stores, toolstack)))) != garbage) {
    return fail(ErrorCode::busy, "what nobody owns changes at this moment",
                "try again when the other verbs have ended");
  }
  for (GarbageVolumes& part : garbage.volumes) {
    part.commands = TRY(place.open_store(part.store))->plan_remove(part.names);
  }
  return garbage;
}

std::string plan_text(const Garbage& garbage) {
  std::string text;
  for (const std::string& operation : garbage.operations) {
    text += fmt::format("end operation {}, which the journal does not know\n", operation);
  }
  for (const GarbageVolumes& part : garbage.volumes) {
    text += fmt::format("remove {} volume{} of {}: {}\n", part.names.size(), part.names.size() == 1 ? "" : "s",
                        part.store, join(part.names, ", "));
    for (const std::string& command : part.commands) {
      text += fmt::format("  run: {}\n", command);
    }
  }
  for (const std::string& store : garbage.half_done) {
    text += fmt::format("end in {} what dead processes left half-made\n", store);
  }
  for (const std::string& name : garbage.configs) {
    text += fmt::format("remove config {}.cfg\n", name);
  }
  for (const fs::path& path : garbage.half_made) {
    text += fmt::format("remove {}\n", path.string());
  }
  for (const std::string& name : garbage.boot_files) {
    text += fmt::format("remove boot file {}\n", name);
  }
  for (const std::string& name : garbage.work) {
    text += fmt::format("remove work folder {}\n", name);
  }
  for (const std::string& sentence : garbage.kept) {
    text += fmt::format("keep: {}\n", sentence);
  }
  return text.empty() ? "nothing: everything has an owner\n" : text;
}

nlohmann::json plan_json(const Garbage& garbage) {
  nlohmann::json volumes = nlohmann::json::array();
  for (const GarbageVolumes& part : garbage.volumes) {
    volumes.push_back({{"store", part.store}, {"names", part.names}, {"volume_commands", part.commands}});
  }
  nlohmann::json half_made = nlohmann::json::array();
  for (const fs::path& path : garbage.half_made) {
    half_made.push_back(path.string());
  }
  return {{"verb", "gc"},
          {"operations", garbage.operations},
          {"volumes", std::move(volumes)},
          {"half_done_stores", garbage.half_done},
          {"configs", garbage.configs},
          {"half_made_configs", std::move(half_made)},
          {"boot_files", garbage.boot_files},
          {"work_folders", garbage.work},
          {"kept", garbage.kept}};
}

namespace {

template <class Action>
Result<void> collecting(std::string_view part, Action&& action) {
  TRY(fail_point(fmt::format("gc.{}.before", part)));
  TRY(action());
  return fail_point(fmt::format("gc.{}.after", part));
}

std::string_view verb_of(GuestState state) {
  switch (state) {
    case GuestState::resetting:
      return "reset";
    case GuestState::removing:
      return "remove";
    case GuestState::making:
    case GuestState::ready:
      break;
  }
  return "clone";
}

// The rows get an operation of ours that has come as far as any could, and that is recovered like one that died.
Result<void> end_operation(Workplace& place, const std::string& id, Progress& progress) {
  const OperationRows rows = TRY(place.registry.rows_of_operation(id));
  const bool guests = !rows.guests.empty();
  if (!guests && rows.images.empty()) {
    return {};
  }
  const bool removing = !guests && rows.images.front().state == ImageState::removing;
  const std::string_view verb = guests ? verb_of(rows.guests.front().state) : removing ? "image-remove" : "build";
  Operation operation =
      TRY(place.journal.begin(verb, {{"store", guests ? rows.guests.front().store : rows.images.front().store},
                                     {"image", guests ? rows.guests.front().image : rows.images.front().name}}));
  for (const char* step : {"volumes", "configs", "volume", "boot"}) {  // those that a making may have made
    TRY(operation.record(step));
  }
  if (removing || (guests && rows.guests.front().state != GuestState::making)) {
    TRY(operation.commit());
  }
  TRY(place.registry.take_over(id, operation.id()));
  if (guests) {
    TRY(recover_guest_operation(place, operation, progress));
  } else {
    TRY(recover_image_operation(place, operation));
  }
  return operation.finish();
}

// A name that somebody has taken since is not removed.
Result<void> remove_volumes(Workplace& place, const GarbageVolumes& part, Progress& progress) {
  std::unordered_set<std::string> owned;
  GuestFilter here;
  here.store = part.store;
  for (const GuestRecord& guest : TRY(place.registry.list_guests(here))) {
    owned.insert(guest.volume);
  }
  for (const ImageRecord& image : TRY(place.registry.list_images())) {
    owned.insert(image.volume);
  }
  std::vector<std::string> names;
  std::ranges::copy_if(part.names, std::back_inserter(names),
                       [&](const std::string& name) { return !owned.contains(name); });
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(part.store));
  store->report_to(progress);
  return store->remove(names);
}

}  // namespace

Result<void> collect_garbage(Workplace& place, const Garbage& garbage, Progress& progress) {
  for (const std::string& id : garbage.operations) {
    TRY(collecting("operation", [&] { return end_operation(place, id, progress); }));
  }
  // Configs first: nothing must be startable whose volume is gone.
  TRY(collecting("configs", [&] { return remove_configs(place.xen, garbage.configs); }));
  for (const GarbageVolumes& part : garbage.volumes) {
    TRY(collecting("volumes", [&] { return remove_volumes(place, part, progress); }));
  }
  for (const std::string& name : garbage.half_done) {
    TRY(collecting("store", [&]() -> Result<void> { return TRY(place.open_store(name))->recover(); }));
  }
  for (const fs::path& path : garbage.half_made) {
    TRY(remove_file(path));
  }
  for (const std::string& name : garbage.work) {
    TRY(collecting("work", [&]() -> Result<void> {
      std::error_code error;
      fs::remove_all(place.work_folders() / name, error);
      return error ? fail_errno(fmt::format("cannot remove the work folder {}", name), error.value()) : Result<void>();
    }));
  }
  return collecting("boot", [&] { return clear_boot_shelf(place); });
}

}  // namespace domsmith
