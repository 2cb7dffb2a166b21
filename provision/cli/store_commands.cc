// domsmith store status
#include <fmt/format.h>

#include "base/text.h"
#include "provision/cli/site.h"

namespace domsmith {
namespace {

Result<void> status(CliContext& cli) {
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const StoreStatus status = TRY(store->status());
  nlohmann::json document{{"store", store->name()},  {"description", status.description},
                          {"method", status.method}, {"size", status.size},
                          {"free", status.free},     {"volumes", status.volumes}};
  std::string text =
      fmt::format("store    {}\nis       {}\nclones   by {}\nfree     {} of {}\nvolumes  {}\n", store->name(),
                  status.description, status.method, size_text(status.free), size_text(status.size), status.volumes);
  if (status.metadata_used_percent) {
    document["metadata_used_percent"] = *status.metadata_used_percent;
    text += fmt::format("metadata {:.1f}% used\n", *status.metadata_used_percent);
  }
  document["can_grow"] = status.can_grow;
  if (status.can_grow > 0) {
    text += fmt::format("room     {} by which it can be extended\n", size_text(status.can_grow));
  }
  document["limits"] = nlohmann::json::array();
  for (const StoreLimit& limit : status.limits) {
    document["limits"].push_back({{"what", limit.what},
                                  {"size", limit.size},
                                  {"free", limit.free},
                                  {"unit", limit.bytes ? "bytes" : "number"},
                                  {"each_clone", limit.each}});
    const auto amount = [&](std::uint64_t count) { return limit.bytes ? size_text(count) : std::to_string(count); };
    text += fmt::format("limit    {}: {} free{}{}\n", limit.what, amount(limit.free),
                        limit.size == 0 ? "" : fmt::format(" of {}", amount(limit.size)),
                        limit.each == 0 ? "" : fmt::format(", enough for {} clones", limit.free / limit.each));
  }
  return cli.output().answer(document, text);
}

}  // namespace

void add_store_commands(CliContext& cli) {
  Verb store = cli.noun("store", "where volumes live: status, watch");
  cli.verb(store, "status", "what the store is, and how much room it has", [&cli] { return status(cli); });
  add_watch_command(cli, store);
}

}  // namespace domsmith
