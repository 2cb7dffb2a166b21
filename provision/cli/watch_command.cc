// domsmith store watch
#include <fmt/format.h>
#include <poll.h>

#include <chrono>

#include "base/crypto.h"
#include "base/interrupt.h"
#include "provision/cli/site.h"
#include "provision/watch/watch.h"

namespace domsmith {

namespace {

struct WatchOptions {
  unsigned warn = 80, grow = 85, pause = 95, resume = 90;  // percent used
  unsigned interval = 10;                                  // seconds
  bool once = false;
};

constexpr int nap = 1000;  // ms

// A signal ends the nap, unless it comes just before it.
Result<void> wait(unsigned seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < until) {
    TRY(check_interrupted());
    (void)::poll(nullptr, 0, nap);
  }
  return check_interrupted();
}

nlohmann::json status_json(const VolumeStore& store, const StoreStatus& status) {
  nlohmann::json limits = nlohmann::json::array();
  for (const StoreLimit& limit : status.limits) {
    limits.push_back({{"what", limit.what}, {"free", limit.free}, {"used_percent", limit.used_percent()}});
  }
  return {{"verb", "store watch"}, {"store", store.name()}, {"limits", std::move(limits)}};
}

Result<void> watch_verb(CliContext& cli, const WatchOptions& options) {
  const WatchThresholds thresholds{.warn = static_cast<double>(options.warn),
                                   .grow = static_cast<double>(options.grow),
                                   .pause = static_cast<double>(options.pause),
                                   .resume = static_cast<double>(options.resume)};
  TRY(thresholds.check());
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  if (cli.plan_only()) {
    return cli.output().answer(
        status_json(*store, TRY(store->status())),
        fmt::format("every {} s: warn from {} % on, extend the pool from {} % on, pause guests from {} % on\n",
                    options.interval, options.warn, options.grow, options.pause));
  }
  const auto toolstack = TRY(toolstack_or_none(cli));
  Site site = TRY(Site::open(cli));
  StoreWatch watch(*store, site.registry(), toolstack.get(),
                   cli.paths().state() / "watch" / (sha256_hex(store->name()).substr(0, 16) + ".paused"));
  for (;;) {
    const auto looked = watch.look(thresholds, cli.progress());
    if (options.once) {
      return cli.output().answer(status_json(*store, TRY(looked)), "");
    }
    if (!looked) {  // LVM may be busy for a while: a watch that ends is none
      cli.progress().warning(looked.error().what);
    }
    if (const auto waited = wait(options.interval); !waited) {
      return {};  // asked to end
    }
  }
}

}  // namespace

void add_watch_command(CliContext& cli, Verb store) {
  auto options = std::make_shared<WatchOptions>();
  Verb verb = cli.verb(
      store, "watch", "warn when it fills up, extend its pool, pause guests before their writes fail",
      [&cli, options] { return watch_verb(cli, *options); }, VerbKind::changes);
  verb.add_option("--interval", options->interval, "seconds between two looks (10)").range(1U, 86'400U);
  verb.add_option("--warn", options->warn, "percent used from which on it is told (80)");
  verb.add_option("--grow", options->grow, "percent used from which on the pool is extended (85)");
  verb.add_option("--pause", options->pause, "percent used from which on guests are paused (95)");
  verb.add_option("--resume", options->resume, "percent used below which they go on (90)");
  verb.add_flag("--once", options->once, "look once and end");
}

}  // namespace domsmith
