#include "provision/guests/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/clone.h"
#include "provision/guests/fresh_volumes.h"
#include "provision/guests/guest_lock.h"
#include "provision/guests/rebase.h"
#include "provision/guests/resize.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

std::vector<std::string> names_of(std::span<const GuestRecord> guests) {
  std::vector<std::string> names;
  std::ranges::transform(guests, std::back_inserter(names), &GuestRecord::name);
  return names;
}

std::vector<std::string> volumes_of(std::span<const GuestRecord> guests) {
  std::vector<std::string> volumes;
  std::ranges::transform(guests, std::back_inserter(volumes), &GuestRecord::volume);
  return volumes;
}

bool is_pattern(std::string_view word) { return word.find_first_of("*?[") != std::string_view::npos; }

}  // namespace

Result<std::vector<GuestRecord>> select_guests(Registry& registry, std::span<const std::string> words) {
  std::vector<GuestRecord> selected;
  std::set<std::string> seen;
  for (const std::string& word : words) {
    std::vector<GuestRecord> found;
    if (is_pattern(word)) {
      GuestFilter filter;
      filter.pattern = word;
      found = TRY(registry.list_guests(filter));
      if (found.empty()) {
        return fail(ErrorCode::not_found, fmt::format("no guest's name fits '{}'", word), "domsmith guest list");
      }
    } else {
      found.push_back(TRY(registry.find_guest(word)));
    }
    for (GuestRecord& guest : found) {
      if (seen.insert(guest.name).second) {
        selected.push_back(std::move(guest));
      }
    }
  }
  return selected;
}

namespace {

Result<void> finish_reset(Workplace& place, VolumeStore& store, const Operation& operation,
                          std::span<const GuestRecord> guests, Progress& progress) {
  const std::vector<std::string> names = names_of(guests);
  const std::vector<std::string> volumes = volumes_of(guests);
  TRY(store.deactivate_all(volumes));
  TRY(undoing("reset-volumes", [&] { return fresh_volumes(place, store, guests, progress); }));
  const std::vector<GuestRecord> at_once =
      settled_at_once(store, guests, operation.parameters().value("settle", false));
  if (!at_once.empty()) {
    TRY(undoing("identities", [&] { return settle_identities(store, at_once, progress); }));
  }
  TRY(undoing("ready", [&] { return place.registry.set_state(names, GuestState::ready, ""); }));
  return {};
}

Result<void> finish_remove(Workplace& place, VolumeStore& store, const Operation& /*nothing is asked for*/,
                           std::span<const GuestRecord> guests, Progress& /*the store tells its own*/) {
  const std::vector<std::string> names = names_of(guests);
  const std::vector<std::string> volumes = volumes_of(guests);
  TRY(undoing("configs", [&] { return remove_configs(place.xen, names); }));
  TRY(store.deactivate_all(volumes));
  TRY(undoing("volumes", [&] { return store.remove(volumes); }));
  return undoing("guest-rows", [&] { return place.registry.drop_guests(names); });
}

using Finish = Result<void> (*)(Workplace&, VolumeStore&, const Operation&, std::span<const GuestRecord>, Progress&);

struct Verb {
  std::string_view name;
  GuestState state;
  Finish finish;
  bool settle = false;
};

Result<void> release(Workplace& place, const Operation& operation) {
  const OperationRows rows = TRY(place.registry.rows_of_operation(operation.id()));
  if (!rows.guests.empty()) {
    TRY(place.registry.set_state(names_of(rows.guests), GuestState::ready, ""));
  }
  return {};
}

// Marks the guests so that nobody starts or changes them from now on.
Result<void> mark(Workplace& place, Operation& operation, std::span<const GuestRecord> guests, GuestState state,
                  const RunningNames& running) {
  const FileLock alone = TRY(lock_guests(place, FileLock::Mode::exclusive));
  TRY(check_stopped(guests, running));
  TRY(operation.perform("mark", {{"names", names_of(guests)}},
                        [&] { return place.registry.set_state(names_of(guests), state, operation.id()); }));
  return operation.commit();
}

Result<void> run_batch(Workplace& place, const Verb& verb, std::span<const GuestRecord> guests,
                       const RunningNames& running, Progress& progress) {
  std::map<std::string, std::vector<GuestRecord>> by_store;
  for (const GuestRecord& guest : guests) {
    by_store[guest.store].push_back(guest);
  }
  for (const auto& [store_name, part] : by_store) {
    const std::unique_ptr<VolumeStore> store = TRY(place.open_store(store_name));
    Operation operation = TRY(place.journal.begin(verb.name, {{"store", store_name}, {"settle", verb.settle}}));
    TRY(carry_out(
        std::move(operation),
        [&](Operation& begun) -> Result<void> {
          TRY(mark(place, begun, part, verb.state, running));
          return verb.finish(place, *store, begun, part, progress);
        },
        [&](Operation& begun) { return release(place, begun); }));
  }
  return {};
}

}  // namespace

Result<void> reset_guests(Workplace& place, std::span<const GuestRecord> guests, const RunningNames& running,
                          Progress& progress, bool settle) {
  return run_batch(place, {"reset", GuestState::resetting, finish_reset, settle}, guests, running, progress);
}

Result<void> remove_guests(Workplace& place, std::span<const GuestRecord> guests, const RunningNames& running,
                           Progress& progress) {
  return run_batch(place, {"remove", GuestState::removing, finish_remove}, guests, running, progress);
}

Result<void> check_stopped(std::span<const GuestRecord> guests, const RunningNames& running) {
  for (const GuestRecord& guest : guests) {
    if (running.contains(guest.name)) {
      return fail(ErrorCode::busy, fmt::format("guest '{}' is running", guest.name),
                  fmt::format("domsmith guest stop {}", guest.name));
    }
  }
  return {};
}

bool is_guest_operation(std::string_view verb) {
  return verb == "clone" || verb == "reset" || verb == "remove" || verb == "rebase" || verb == "resize";
}

Result<std::string> recover_guest_operation(Workplace& place, Operation& operation, Progress& progress) {
  const std::vector<GuestRecord> guests = TRY(place.registry.rows_of_operation(operation.id())).guests;
  if (operation.verb() == "rebase" || operation.verb() == "resize") {
    const bool committed = operation.committed();
    TRY(operation.verb() == "rebase" ? recover_rebase(place, operation, progress)
                                     : recover_resize(place, operation, progress));
    return fmt::format("{} the {} of {} guest{}", committed ? "finished" : "undid", operation.verb(), guests.size(),
                       guests.size() == 1 ? "" : "s");
  }
  const std::string what =
      fmt::format("the {} of {}", operation.verb(),
                  guests.size() == 1 ? guests.front().name : fmt::format("{} guests", guests.size()));
  if (!operation.committed() && operation.verb() != "clone") {
    TRY(release(place, operation));
    return "undid " + what;
  }
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(operation.parameters().value("store", "")));
  if (operation.verb() == "clone") {
    return fmt::format("{} {}", TRY(undo_clone(place, *store, operation)), what);
  }
  if (!guests.empty()) {
    TRY(operation.verb() == "reset" ? finish_reset(place, *store, operation, guests, progress)
                                    : finish_remove(place, *store, operation, guests, progress));
  }
  return "finished " + what;
}

}  // namespace domsmith
