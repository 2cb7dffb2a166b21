// domsmith guest changes
#include <fmt/format.h>

#include "base/text.h"
#include "provision/cli/changes_table.h"
#include "provision/cli/site.h"

namespace domsmith {

namespace {

struct ChangesOptions {
  std::vector<std::string> names;
  bool files = false;
};

Result<void> changes_verb(CliContext& cli, const ChangesOptions& options) {
  Site site = TRY(Site::look(cli));
  const std::vector<GuestRecord> guests = TRY(select_guests(site.registry(), options.names));
  const std::vector<GuestChanges> changes = TRY(report_changes(site.place(), guests, options.files, cli.progress()));
  if (cli.options().json) {
    return cli.output().answer({{"guests", changes_json(changes)}}, "");
  }
  return cli.output().answer({}, changes_table(changes), "");
}

}  // namespace

nlohmann::json changes_json(std::span<const GuestChanges> changes) {
  nlohmann::json all = nlohmann::json::array();
  for (const GuestChanges& each : changes) {
    nlohmann::json one{{"name", each.guest}, {"image", each.image}};
    one["bytes"] = each.bytes ? nlohmann::json(*each.bytes) : nlohmann::json();
    if (each.files) {
      one["files"] = each.files->count;
      one["first_files"] = each.files->first;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Table changes_table(std::span<const GuestChanges> changes) {
  Table table({{"NAME", Align::left, true}, {"IMAGE"}, {"CHANGED", Align::right}, {"FILES", Align::left, true}});
  for (const GuestChanges& each : changes) {
    std::string files = "-";
    if (each.files) {
      files = std::to_string(each.files->count);
      if (each.files->count > 0) {
        files += ": " + paths_text(*each.files);
      }
    }
    table.row({each.guest, each.image, each.bytes ? size_text(*each.bytes) : "not known", files});
  }
  return table;
}

void add_changes_command(CliContext& cli, Verb guest) {
  auto options = std::make_shared<ChangesOptions>();
  Verb verb = cli.verb(guest, "changes", "how far guests have gone from their golden images",
                       [&cli, options] { return changes_verb(cli, *options); });
  verb.add_option("GUEST", options->names, "names or patterns ('web-*')").required();
  verb.add_flag("--files", options->files, "the files too, of guests that do not run");
}

}  // namespace domsmith
