#include "provision/cli/site.h"

#include <fmt/format.h>

#include "base/error_text.h"
#include "provision/guests/run_guest.h"
#include "provision/images/make_image.h"
#include "provision/recovery/recover.h"

namespace domsmith {

Site::Site(CliContext& cli, Registry registry, std::filesystem::path boot)
    : cli_(&cli),
      registry_(std::make_unique<Registry>(std::move(registry))),
      place_(std::make_unique<Workplace>(
          Workplace{*registry_, Journal(cli.paths().journal()), cli.paths().state(), std::move(boot), cli.paths().xen(),
                    [&cli](std::string_view spec) -> Result<std::unique_ptr<VolumeStore>> {
                      auto store = TRY(domsmith::open_store(spec));
                      store->report_to(cli.progress());
                      return store;
                    }})) {}

Result<Site> Site::open(CliContext& cli) {
  if (cli.plan_only()) {
    return look(cli);
  }
  const Settings settings = TRY(cli.settings());
  Registry registry = TRY(Registry::open(cli.paths().registry()));
  return Site(cli, std::move(registry), settings.boot);
}

Result<Site> Site::look(CliContext& cli) {
  const Settings settings = TRY(cli.settings());
  auto registry = Registry::open(cli.paths().registry(), {.read_only = true});
  if (!registry && registry.error().code == ErrorCode::not_found) {
    registry = Registry::none();
  }
  return Site(cli, TRY(std::move(registry)), settings.boot);
}

Result<ImageRecord> Site::image(VolumeStore& store, std::string_view name) {
  return cli_->plan_only() ? look_at_image(place(), store, name) : known_image(place(), store, name, cli_->progress());
}

ToolstackOptions toolstack_options(const CliContext& cli) {
  ToolstackOptions options;
  options.run_directory = cli.paths().root / "run/domsmith";
  options.log_directory = cli.paths().root / "var/log/domsmith";
  options.program = cli.program();
  return options;
}

Result<std::unique_ptr<Toolstack>> open_toolstack(const CliContext& cli) {
  return domsmith::open_toolstack(toolstack_options(cli));
}

Result<std::unique_ptr<Toolstack>> toolstack_or_none(const CliContext& cli) {
  auto toolstack = open_toolstack(cli);
  if (!toolstack && toolstack.error().code == ErrorCode::unsupported) {
    return nullptr;
  }
  return toolstack;
}

Result<RunningNames> running_names(const CliContext& cli) {
  return domsmith::running_names(TRY(toolstack_or_none(cli)).get());
}

Domains domains_now(const CliContext& cli) {
  const auto toolstack = open_toolstack(cli);
  if (!toolstack) {
    return std::nullopt;
  }
  auto running = (*toolstack)->list();
  if (!running) {
    return std::nullopt;
  }
  std::map<std::string, RunningDomain> by_name;
  for (RunningDomain& domain : *running) {
    by_name.emplace(domain.name, std::move(domain));
  }
  return by_name;
}

Result<void> recover_quietly(CliContext& cli) {
  // Most of the time there is nothing: that must not cost an open registry.
  std::error_code error;
  if (std::filesystem::is_empty(cli.paths().journal(), error) || error) {
    return {};
  }
  Site site = TRY(Site::open(cli));
  const auto recovered = recover(site.place(), cli.progress());
  if (!recovered) {
    // It stays in the journal, and what it holds stays marked. A full pool or a lost disk must not keep anybody from
    // work elsewhere, nor from removing what fills the pool.
    cli.progress().warning(error_text(recovered.error()));
    return {};
  }
  for (const RecoveredOperation& operation : *recovered) {
    cli.progress().note(fmt::format("recovered: {}", operation.outcome));
  }
  return {};
}

}  // namespace domsmith
