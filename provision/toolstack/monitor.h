// The monitor: one small process for each running guest that waits for its end and does what on_poweroff, on_reboot and
// on_crash say, as the daemon does that `xl create` leaves behind (libxl_evenable_domain_death, libxl_event_wait:
// libxl_event.h).
//
// `domsmith guest-monitor NAME` is hidden: create() starts it, with the spec as xl.cfg text on its stdin, and waits for
// the word "ready" on its stdout before the guest's first instruction. It runs in a session of its own with its own
// log, and ends with the domain.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

// Why a domain ended (libxl_shutdown_reason).
enum class DomainEnd { poweroff, reboot, suspend, crash, watchdog, soft_reset, unknown };

struct MonitorDecision {
  bool dump_core = false;
  bool take_away = false;  // destroy the dead domain
  bool restart = false;    // and create it anew from the same spec
};
MonitorDecision decide(DomainEnd end, const DomainSpec& spec);

// The body of the hidden command: `domsmith guest-monitor NAME DOMID`. Reads the spec from stdin; returns when the
// domain has gone for good.
Result<void> run_monitor(const ToolstackOptions& options, std::string_view name, std::uint32_t domid);

}  // namespace domsmith
