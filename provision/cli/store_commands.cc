// domsmith store status
#include <fmt/format.h>

#include "base/text.h"
#include "provision/cli/command.h"

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
  return cli.output().answer(document, text);
}

}  // namespace

void add_store_commands(CliContext& cli) {
  Verb store = cli.noun("store", "where volumes live: status");
  cli.verb(store, "status", "what the store is, and how much room it has", [&cli] { return status(cli); });
}

}  // namespace domsmith
