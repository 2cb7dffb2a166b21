#include "provision/guests/ephemeral.h"

#include <algorithm>
#include <vector>

#include "provision/guests/run_guest.h"

namespace domsmith {

Result<void> refresh_ephemeral(Workplace& place, Toolstack& toolstack, std::span<const GuestRecord> guests,
                               Progress& progress) {
  const auto is_ephemeral = [](const GuestRecord& guest) { return guest.ephemeral; };
  if (std::ranges::none_of(guests, is_ephemeral)) {
    return {};
  }
  const RunningNames running = TRY(running_names(&toolstack));
  std::vector<GuestRecord> stale;
  std::ranges::copy_if(guests, std::back_inserter(stale), [&](const GuestRecord& guest) {
    return guest.ephemeral && !running.contains(guest.name);  // the start itself says that the others run
  });
  return reset_guests(place, stale, running, progress);
}

}  // namespace domsmith
