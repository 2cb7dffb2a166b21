#include "provision/guests/run_guest.h"

#include <fmt/format.h>

#include "provision/domain/config_dir.h"
#include "provision/guests/guest_lock.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

// A clone that waits for its identity has no device: it gets both, or neither.
Result<void> make_runnable(VolumeStore& store, const GuestRecord& guest, Progress& progress) {
  if (TRY(store.find(guest.volume)).fresh) {
    return settle_identities(store, std::span(&guest, 1), progress, VolumeStore::Settled::activated);
  }
  return store.activate(guest.volume);
}

}  // namespace

Result<RunningDomain> start_guest(Workplace& place, Toolstack& toolstack, const std::string& name, Progress& progress) {
  const FileLock shared = TRY(lock_guests(place, FileLock::Mode::shared));
  const GuestRecord guest = TRY(place.registry.find_guest(name));
  if (guest.state != GuestState::ready) {
    return fail(ErrorCode::busy, fmt::format("guest '{}' is {}", name, state_text(guest.state)),
                "wait for that to end; should its process have died: domsmith recover");
  }
  if (TRY(toolstack.find(name))) {
    return fail(ErrorCode::exists, fmt::format("guest '{}' is running already", name),
                fmt::format("domsmith guest console {}", name));
  }
  const DomainSpec spec = TRY(read_config(place.xen, name));
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(guest.store));
  TRY(make_runnable(*store, guest, progress));
  auto domain = toolstack.create(spec);
  if (!domain) {
    (void)store->deactivate(guest.volume);  // the failure to start is what the user has to hear of
    return wrap(std::move(domain).error(), fmt::format("cannot start guest '{}'", name));
  }
  return domain;
}

namespace {

// What is to be done once a guest was asked and waited for.
Result<void> end_stop(Workplace& place, Toolstack& toolstack, const GuestRecord& guest, Result<void> stopped,
                      bool force) {
  const auto may_force = [](ErrorCode code) { return code != ErrorCode::not_found && code != ErrorCode::interrupted; };
  if (!stopped && force && may_force(stopped.error().code)) {
    stopped = toolstack.destroy(guest.name);
  }
  if (!stopped && stopped.error().code != ErrorCode::not_found) {  // not_found: it ended while we asked
    Error error = std::move(stopped).error();
    if (error.code == ErrorCode::busy) {
      error.remedy = fmt::format("take it away at once with: domsmith guest stop {} --force", guest.name);
    }
    return std::unexpected(std::move(error));
  }
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(guest.store));
  return store->deactivate(guest.volume);
}

// Several failures in one Error: the first, the others behind it.
void gather(Result<void>& all, Result<void> one) {
  if (one) {
    return;
  }
  if (all) {
    all = std::move(one);
  } else {
    all.error().others.push_back(std::move(one).error());
  }
}

}  // namespace

Result<void> stop_guests(Workplace& place, Toolstack& toolstack, std::span<const GuestRecord> guests,
                         const StopOptions& options) {
  const RunningNames running = TRY(running_names(&toolstack));
  Result<void> all;
  std::vector<const GuestRecord*> asked;
  std::vector<std::string> names;
  for (const GuestRecord& guest : guests) {
    if (running.contains(guest.name)) {
      asked.push_back(&guest);
      names.push_back(guest.name);
    } else {
      gather(all, fail(ErrorCode::not_found, fmt::format("guest '{}' is not running", guest.name),
                       fmt::format("domsmith guest start {}", guest.name)));
    }
  }
  std::vector<Result<void>> answers = toolstack.shutdown_all(names, options.patience);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    gather(all, end_stop(place, toolstack, *asked[i], std::move(answers[i]), options.force));
  }
  return all;
}

Result<RunningNames> running_names(Toolstack* toolstack) {
  RunningNames names;
  if (toolstack != nullptr) {
    for (const RunningDomain& domain : TRY(toolstack->list())) {
      names.insert(domain.name);
    }
  }
  return names;
}

}  // namespace domsmith
