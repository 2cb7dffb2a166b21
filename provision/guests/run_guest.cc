#include "provision/guests/run_guest.h"

#include <fmt/format.h>

#include "provision/domain/config_dir.h"
#include "provision/guests/guest_lock.h"

namespace domsmith {

Result<RunningDomain> start_guest(Workplace& place, Toolstack& toolstack, const std::string& name) {
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
  TRY(store->activate(guest.volume));
  auto domain = toolstack.create(spec);
  if (!domain) {
    (void)store->deactivate(guest.volume);  // the failure to start is what the user has to hear of
    return wrap(std::move(domain).error(), fmt::format("cannot start guest '{}'", name));
  }
  return domain;
}

Result<void> stop_guest(Workplace& place, Toolstack& toolstack, const std::string& name, const StopOptions& options) {
  const GuestRecord guest = TRY(place.registry.find_guest(name));
  if (!TRY(toolstack.find(name))) {
    return fail(ErrorCode::not_found, fmt::format("guest '{}' is not running", name),
                fmt::format("domsmith guest start {}", name));
  }
  auto stopped = toolstack.shutdown(name, options.patience);
  if (!stopped && options.force) {
    stopped = toolstack.destroy(name);
  }
  if (!stopped && stopped.error().code != ErrorCode::not_found) {
    Error error = std::move(stopped).error();
    if (error.code == ErrorCode::busy) {
      error.remedy = fmt::format("take it away at once with: domsmith guest stop {} --force", name);
    }
    return std::unexpected(std::move(error));
  }
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(guest.store));
  return store->deactivate(guest.volume);
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
