// domsmith host upgrade|rollback, and the hidden settle-slot
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "hypervisor/host/host_commands.h"
#include "hypervisor/host/slots.h"
#include "hypervisor/installer/machine.h"
#include "provision/cli/command.h"
#include "provision/cli/verb.h"

namespace domsmith {
namespace {

struct SlotOptions {
  std::string image;
  std::string sha256;
  bool stay = false;
};

Result<RunningSlot> this_slot() { return running_slot(TRY(read_file("/proc/cmdline"))); }

Result<void> restart_unless(bool stay) { return stay ? Result<void>() : end_machine("reboot"); }

Result<void> upgrade_verb(CliContext& cli, const SlotOptions& options) {
  const RunningSlot running = TRY(this_slot());
  const nlohmann::json document{{"verb", "host upgrade"}, {"from", running.slot}, {"to", running.other()}};
  if (cli.plan_only()) {
    return cli.output().answer(
        document, fmt::format("write {} to slot {} of {}, read it back\ntry slot {} once{}\n", options.image,
                              running.other(), running.group, running.other(), options.stay ? "" : "; restart now"));
  }
  TRY(upgrade_slot(running, options.image, options.sha256, cli.progress()));
  TRY(cli.output().answer(document, fmt::format("slot {} is written; the next start tries it\n", running.other())));
  return restart_unless(options.stay);
}

Result<void> rollback_verb(CliContext& cli, const SlotOptions& options) {
  const RunningSlot running = TRY(this_slot());
  const nlohmann::json document{{"verb", "host rollback"}, {"from", running.slot}, {"to", running.other()}};
  if (cli.plan_only()) {
    return cli.output().answer(document, fmt::format("start from slot {} from now on{}\n", running.other(),
                                                     options.stay ? "" : "; restart now"));
  }
  TRY(rollback_slot(running));
  TRY(cli.output().answer(document, fmt::format("the next start is slot {}\n", running.other())));
  return restart_unless(options.stay);
}

// Fails only where a slot that is tried must not be kept: its unit then starts the machine again.
Result<void> settle_verb(CliContext& cli) {
  const RunningSlot running = TRY(this_slot());
  std::vector<std::string> faults;
  const auto settled = settle_slot(running, [&] {
    const auto seen = host_faults(running, {.program = cli.program()});
    faults = seen ? *seen : std::vector<std::string>{seen.error().what};  // a look that fails is a fault of the slot
    return faults;
  });
  if (!settled) {
    cli.progress().warning("it is not known whether this slot is only tried: " + settled.error().what);
    return {};
  }
  if (*settled == Settled::refused) {
    return fail(ErrorCode::failed, fmt::format("slot {} is not kept: {}", running.slot, join(faults, "; ")),
                "the machine starts again, from the other slot");
  }
  cli.progress().note(*settled == Settled::kept ? fmt::format("slot {} is kept", running.slot)
                                                : fmt::format("slot {} is the known one", running.slot));
  return {};
}

}  // namespace

void add_slot_commands(CliContext& cli, Verb host) {
  auto options = std::make_shared<SlotOptions>();
  Verb upgrade = cli.verb(
      host, "upgrade", "write another system to the other slot, and try it once",
      [&cli, options] { return upgrade_verb(cli, *options); }, VerbKind::changes);
  upgrade.add_option("IMAGE", options->image, "a slot, as iso slot makes it").required();
  upgrade.add_option("--sha256", options->sha256, "the hash that it must have");
  upgrade.add_flag("--stay", options->stay, "do not restart now");
  Verb rollback = cli.verb(
      host, "rollback", "start from the other slot from now on",
      [&cli, options] { return rollback_verb(cli, *options); }, VerbKind::changes);
  rollback.add_flag("--stay", options->stay, "do not restart now");
  cli.verb(host, "settle-slot", "keep the slot that is tried, or come back", [&cli] { return settle_verb(cli); })
      .hide();
}

}  // namespace domsmith
