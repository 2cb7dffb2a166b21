// domsmith cache list|prune
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "imagebuild/engine/layers.h"
#include "provision/cli/site.h"
#include "provision/cli/table.h"
#include "provision/images/build_image.h"

namespace domsmith {

namespace {

struct CacheOptions {
  unsigned days = 30;
  bool all = false;
};

std::int64_t now_seconds() { return system_clock().now().time_since_epoch().count(); }

engine::LayerCache cache_of(CliContext& cli) { return engine::LayerCache(cli.paths().state() / "cache" / "layers"); }

Result<void> list_cache(CliContext& cli) {
  Table table({{"LAYER"}, {"SIZE", Align::right}, {"LAST USED"}, {"STATE"}, {"HOLDS", Align::left, true}});
  nlohmann::json document = nlohmann::json::array();
  for (const engine::LayerInfo& layer : TRY(cache_of(cli).list())) {
    const std::string used = utc_text(std::chrono::sys_seconds(std::chrono::seconds(layer.last_used)));
    table.row({layer.key.substr(0, 12), size_text(layer.bytes), used, layer.usable ? "whole" : "BROKEN", layer.what});
    document.push_back({{"key", layer.key},
                        {"bytes", layer.bytes},
                        {"last_used", used},
                        {"usable", layer.usable},
                        {"what", layer.what}});
  }
  return cli.output().answer({{"layers", std::move(document)}}, table, "the cache holds no layer\n");
}

Result<void> prune_cache(CliContext& cli, const CacheOptions& options) {
  const std::filesystem::path folder = cli.paths().state() / "cache";
  const engine::LayerCache cache = cache_of(cli);
  std::vector<engine::LayerInfo> old = TRY(cache.list());
  const std::int64_t limit = now_seconds() - std::int64_t{options.days} * 86400;
  std::erase_if(
      old, [&](const engine::LayerInfo& layer) { return !options.all && layer.usable && layer.last_used >= limit; });
  std::uint64_t bytes = 0;
  std::string text;
  for (const engine::LayerInfo& layer : old) {
    bytes += layer.bytes;
    text += fmt::format("  {} {} {}\n", layer.key.substr(0, 12), size_text(layer.bytes), layer.what);
  }
  if (cli.plan_only()) {
    return cli.output().answer({{"verb", "cache prune"}, {"layers", old.size()}, {"bytes", bytes}},
                               fmt::format("remove {} layers, {}\n{}", old.size(), size_text(bytes), text));
  }
  if (!old.empty() || options.all) {
    const FileLock alone = TRY_AS(FileLock::try_acquire(folder / "lock"), "a build is using the cache");
    for (const engine::LayerInfo& layer : old) {
      TRY(cache.remove(layer.key));
    }
    if (options.all) {  // package lists and packages too
      TRY(engine::remove_tree(folder / "apt"));
    }
  }
  return cli.output().answer({{"removed", old.size()}, {"bytes", bytes}},
                             fmt::format("{} layers are removed, {} freed\n", old.size(), size_text(bytes)));
}

}  // namespace

void add_cache_commands(CliContext& cli) {
  Verb cache = cli.noun("cache", "what builds keep for the next one: list, prune");
  auto options = std::make_shared<CacheOptions>();
  cli.verb(cache, "list", "the layers of earlier builds", [&cli] { return list_cache(cli); });
  Verb prune = cli.verb(
      cache, "prune", "remove layers that were not used for long",
      [&cli, options] { return prune_cache(cli, *options); }, VerbKind::changes);
  prune.add_option("--days", options->days, "those not used for so many days [default: 30]");
  prune.add_flag("--all", options->all, "all layers, and the packages and lists that were fetched");
}

}  // namespace domsmith
