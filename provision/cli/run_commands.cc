// domsmith guest start|stop|console, and the hidden guest-monitor
#include <fmt/format.h>

#include "provision/cli/site.h"
#include "provision/guests/ephemeral.h"
#include "provision/guests/run_guest.h"
#include "provision/toolstack/monitor.h"

namespace domsmith {

namespace {

struct RunOptions {
  std::vector<std::string> names;
  std::string name;
  std::uint32_t domid = 0;
  unsigned timeout = 60;  // seconds
  bool force = false;
};

Result<void> start_verb(CliContext& cli, const RunOptions& options) {
  const std::unique_ptr<Toolstack> toolstack = TRY(open_toolstack(cli));
  Site site = TRY(Site::open(cli));
  const std::vector<GuestRecord> guests = TRY(select_guests(site.registry(), options.names));
  if (!cli.plan_only()) {
    TRY(refresh_ephemeral(site.place(), *toolstack, guests, cli.progress()));
  }
  Table table({{"NAME", Align::left, true}, {"ID", Align::right}, {"TYPE"}, {"MEMORY", Align::right}});
  nlohmann::json document{{"verb", "guest start"}, {"guests", nlohmann::json::array()}};
  for (const GuestRecord& guest : guests) {
    if (cli.plan_only()) {
      table.row({guest.name, "-", guest.template_name, "-"});
      document["guests"].push_back({{"name", guest.name}});
      continue;
    }
    const RunningDomain domain = TRY(start_guest(site.place(), *toolstack, guest.name, cli.progress()));
    table.row({guest.name, std::to_string(domain.domid), domain.type, fmt::format("{} MiB", domain.memory_mib)});
    document["guests"].push_back({{"name", guest.name}, {"id", domain.domid}, {"type", domain.type}});
  }
  return cli.output().answer(document, table, "");
}

Result<void> stop_verb(CliContext& cli, const RunOptions& options) {
  const std::unique_ptr<Toolstack> toolstack = TRY(open_toolstack(cli));
  Site site = TRY(Site::open(cli));
  nlohmann::json document{{"verb", "guest stop"}, {"guests", nlohmann::json::array()}};
  std::string text;
  const std::vector<GuestRecord> guests = TRY(select_guests(site.registry(), options.names));
  if (!cli.plan_only()) {
    TRY(stop_guests(site.place(), *toolstack, guests,
                    {.patience = std::chrono::seconds(options.timeout), .force = options.force}));
  }
  for (const GuestRecord& guest : guests) {
    document["guests"].push_back(guest.name);
    text += fmt::format("{} {}\n", guest.name, cli.plan_only() ? "would be stopped" : "is stopped");
  }
  return cli.output().answer(document, text);
}

Result<void> console_verb(CliContext& cli, const RunOptions& options) {
  const std::unique_ptr<Toolstack> toolstack = TRY(open_toolstack(cli));
  return toolstack->console(options.name);
}

}  // namespace

void add_run_commands(CliContext& cli, Verb guest) {
  auto options = std::make_shared<RunOptions>();
  Verb start = cli.verb(
      guest, "start", "start guests", [&cli, options] { return start_verb(cli, *options); }, VerbKind::changes);
  start.add_option("GUEST", options->names, "names or patterns ('web-*')").required();
  Verb stop = cli.verb(
      guest, "stop", "ask guests to power off, and wait", [&cli, options] { return stop_verb(cli, *options); },
      VerbKind::changes);
  stop.add_option("GUEST", options->names, "names or patterns ('web-*')").required();
  stop.add_option("--timeout", options->timeout, "seconds to wait for all of them (60)");
  stop.add_flag("--force", options->force, "take away at once those that do not power off in time");
  Verb console = cli.verb(guest, "console", "connect to its console; Ctrl-] leaves it",
                          [&cli, options] { return console_verb(cli, *options); });
  console.add_option("GUEST", options->name, "its name").required();

  Verb monitor =
      cli.verb(cli.top(), "guest-monitor", "waits for the end of a guest (started by guest start)",
               [&cli, options] { return run_monitor(toolstack_options(cli), options->name, options->domid); });
  monitor.add_option("GUEST", options->name, "its name").required();
  monitor.add_option("DOMID", options->domid, "its domain").required();
  monitor.hide();
}

}  // namespace domsmith
