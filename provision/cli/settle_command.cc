// domsmith guest settle
#include <fmt/format.h>

#include "provision/cli/site.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

struct SettleOptions {
  std::vector<std::string> names;
  std::string image;
  bool all = false;
  bool autostart = false;
  bool activate = false;
};

Result<std::vector<GuestRecord>> chosen(Site& site, const SettleOptions& options) {
  if (!options.names.empty()) {
    return select_guests(site.registry(), options.names);
  }
  if (!options.all && !options.autostart && options.image.empty()) {
    return fail(ErrorCode::bad_input, "no guest is named",
                "name guests or a pattern like 'web-*', or give --all, --image or --autostart");
  }
  GuestFilter filter;
  if (!options.image.empty()) {
    filter.image = options.image;
  }
  std::vector<GuestRecord> guests = TRY(site.registry().list_guests(filter));
  if (options.autostart) {
    std::erase_if(guests, [](const GuestRecord& guest) { return !guest.autostart; });
  }
  return guests;
}

Result<void> settle_verb(CliContext& cli, const SettleOptions& options) {
  Site site = TRY(Site::open(cli));
  const std::vector<GuestRecord> guests = TRY(chosen(site, options));
  nlohmann::json document{{"verb", "guest settle"}, {"guests", nlohmann::json::array()}};
  std::string text;
  for (const GuestRecord& guest : guests) {
    document["guests"].push_back(guest.name);
    text += fmt::format("  {} in {}\n", guest.name, guest.store);
  }
  if (cli.plan_only()) {
    return cli.output().answer(document, fmt::format("settle what waits for its identity of {} guest{}\n{}",
                                                     guests.size(), guests.size() == 1 ? "" : "s", text));
  }
  const auto then = options.activate ? VolumeStore::Settled::activated : VolumeStore::Settled::put_away;
  const std::vector<std::string> settled = TRY(settle_guests(site.place(), guests, then, cli.progress()));
  document["settled"] = settled;
  return cli.output().answer(document,
                             fmt::format("{} of {} guest{} got {} identity\n", settled.size(), guests.size(),
                                         guests.size() == 1 ? "" : "s", settled.size() == 1 ? "its" : "their"));
}

}  // namespace

void add_settle_command(CliContext& cli, Verb guest) {
  auto options = std::make_shared<SettleOptions>();
  Verb verb = cli.verb(
      guest, "settle", "write identities that wait for a first start",
      [&cli, options] { return settle_verb(cli, *options); }, VerbKind::changes);
  verb.add_option("GUEST", options->names, "names or patterns ('web-*')");
  verb.add_option("--image", options->image, "all guests of this image");
  verb.add_flag("--all", options->all, "all guests (with --image: of that image)");
  verb.add_flag("--autostart", options->autostart, "those that start with the host");
  verb.add_flag("--activate", options->activate, "leave their volumes active, for plain xl");
}

}  // namespace domsmith
