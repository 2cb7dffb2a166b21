// The monitor: one small process for each running guest that waits for its end and does what on_poweroff, on_reboot and
// on_crash say, as the daemon does that `xl create` leaves behind (xl_vmcontrol.c; libxl_event.h).
//
// `domsmith guest-monitor NAME DOMID` is hidden: create() starts it before the guest's first instruction, in a session
// of its own, with stdin a JSON line of parameters and the spec as xl.cfg text behind it, stdout a pipe on which it
// says "ready" or why it cannot, stderr its log. It ends with the domain, or leaves a preserved one behind.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

// Why a domain ended (libxl_shutdown_reason).
enum class DomainEnd { poweroff, reboot, suspend, crash, watchdog, soft_reset, unknown };
std::string_view end_word(DomainEnd end);

struct MonitorDecision {
  bool dump_core = false;
  bool take_away = false;  // destroy the dead domain
  bool restart = false;    // and create it anew from the same spec
  bool operator==(const MonitorDecision&) const = default;
};
// `stopping`: somebody wants the guest to end (GuestLocks::want_stop), so nothing is restarted or preserved.
MonitorDecision decide(DomainEnd end, const DomainSpec& spec, bool stopping);

// Starts the monitor of a domain and waits until it watches.
Result<void> start_monitor(const ToolstackOptions& options, const DomainSpec& spec, std::uint32_t domid);

// The body of the hidden command. The spec is on stdin, and so are the caller's folders, which count before those of
// `options`; bad_input where stdin is about another guest. Returns when its work is over.
Result<void> run_monitor(const ToolstackOptions& options, std::string_view name, std::uint32_t domid);

}  // namespace domsmith
