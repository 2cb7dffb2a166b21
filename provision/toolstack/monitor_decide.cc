#include "provision/toolstack/monitor.h"

namespace domsmith {

std::string_view end_word(DomainEnd end) {
  switch (end) {
    case DomainEnd::poweroff:
      return "powered off";
    case DomainEnd::reboot:
      return "rebooted";
    case DomainEnd::suspend:
      return "was suspended";
    case DomainEnd::crash:
      return "crashed";
    case DomainEnd::watchdog:
      return "was ended by its watchdog";
    case DomainEnd::soft_reset:
      return "asked for a soft reset";
    case DomainEnd::unknown:
      break;
  }
  return "ended";
}

namespace {

DomainAction action_of(DomainEnd end, const DomainSpec& spec) {
  switch (end) {
    case DomainEnd::poweroff:
      return spec.on_poweroff;
    case DomainEnd::reboot:
      return spec.on_reboot;
    case DomainEnd::crash:
      return spec.on_crash;
    case DomainEnd::suspend:
    case DomainEnd::watchdog:
    case DomainEnd::soft_reset:
    case DomainEnd::unknown:
      break;
  }
  return DomainAction::destroy;  // xl's default of on_watchdog; an unknown reason likewise
}

}  // namespace

MonitorDecision decide(DomainEnd end, const DomainSpec& spec, bool stopping) {
  if (end == DomainEnd::suspend) {
    return {};  // whoever saves it (xl save) takes it away
  }
  const auto action = action_of(end, spec);
  const bool dump = action == DomainAction::coredump_destroy || action == DomainAction::coredump_restart;
  if (stopping) {
    return {.dump_core = dump, .take_away = true, .restart = false};
  }
  return {.dump_core = dump,
          .take_away = action != DomainAction::preserve,
          .restart = action == DomainAction::restart || action == DomainAction::coredump_restart};
}

}  // namespace domsmith
