// domsmith guest list|show|config|reset|remove, and domsmith list
#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"
#include "provision/cli/changes_table.h"
#include "provision/cli/guest_table.h"
#include "provision/cli/site.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/batch.h"

namespace domsmith {

namespace {

struct GuestOptions {
  std::string name;
  std::vector<std::string> names;
  std::string image;
  std::string pattern;
  bool all = false;
  bool settle = false;
  bool changes = false;
};

GuestFilter filter_of(const GuestOptions& options) {
  GuestFilter filter;
  if (!options.image.empty()) {
    filter.image = options.image;
  }
  if (!options.pattern.empty()) {
    filter.pattern = options.pattern;
  }
  return filter;
}

constexpr std::string_view no_guests = "no guests yet; make some: domsmith clone IMAGE --name NAME --count N\n";

Result<void> list_guests(CliContext& cli, const GuestOptions& options, bool with_images) {
  Site site = TRY(Site::look(cli));
  const std::vector<GuestRecord> guests = TRY(site.registry().list_guests(filter_of(options)));
  const Domains domains = domains_now(cli);
  if (!cli.options().json) {
    return cli.output().answer({}, guest_table(guests, domains), no_guests);
  }
  nlohmann::json document = guests_json(guests, domains);
  if (with_images) {
    document["images"] = nlohmann::json::array();
    for (const ImageRecord& image : TRY(site.registry().list_images())) {
      document["images"].push_back(record_json(image));
    }
  }
  return cli.output().answer(document, "");
}

Result<GuestRecord> find_guest(CliContext& cli, const std::string& name) {
  Site site = TRY(Site::look(cli));
  return site.registry().find_guest(name);
}

// Whether the identity waits for the first start (settle.h); nullopt where this user cannot look at the volume.
std::optional<bool> identity_waits(const GuestRecord& guest) {
  const auto store = open_store(guest.store);
  const auto volume = store ? (*store)->find(guest.volume) : Result<VolumeInfo>(std::unexpected(store.error()));
  return volume ? std::optional(volume->fresh) : std::nullopt;
}

std::string waiting_text(const std::optional<bool>& waits) {
  if (!waits) {
    return "not known: its volume cannot be looked at";
  }
  return *waits ? "waits for the first start" : "written";
}

Result<void> show_guest(CliContext& cli, const GuestOptions& options) {
  const GuestRecord guest = TRY(find_guest(cli, options.name));
  const Domains domains = domains_now(cli);
  const Identity& identity = guest.identity;
  const std::optional<bool> waits = identity_waits(guest);
  nlohmann::json document = guest_json(guest, domains);
  document["identity_waits"] = waits ? nlohmann::json(*waits) : nlohmann::json();
  const std::string text = fmt::format(
      "guest       {}\nstate       {}\nimage       {} in {}\ntemplate    {}\nuuid        {}\nidentity    "
      "{}\nmachine-id  {}\n"
      "MAC         {}\naddress     {}\nhost key    {}\nautostart   {}\nmade        {}\nconfig      {}\n",
      guest.name, guest_state(guest, domains), guest.image, guest.store, guest.template_name, guest.uuid,
      waiting_text(waits), identity.machine_id, join(identity.macs, " "),
      identity.network ? fmt::format("{}/{}", identity.network->address, identity.network->prefix) : "DHCP",
      host_public_key(identity), guest.autostart ? "yes" : "no", utc_text(guest.created),
      config_path(cli.paths().xen(), guest.name).string());
  return cli.output().answer(document, text);
}

Result<void> show_config(CliContext& cli, const GuestOptions& options) {
  const GuestRecord guest = TRY(find_guest(cli, options.name));
  const std::string text = TRY(read_config_text(cli.paths().xen(), guest.name));
  return cli.output().answer(
      {{"guest", guest.name}, {"file", config_path(cli.paths().xen(), guest.name).string()}, {"config", text}}, text);
}

// Those that are named, or all (of an image).
Result<std::vector<GuestRecord>> chosen(Site& site, const GuestOptions& options) {
  if (options.all || !options.image.empty()) {
    return site.registry().list_guests(filter_of(options));
  }
  if (options.names.empty()) {
    return fail(ErrorCode::bad_input, "no guest is named",
                "name guests or a pattern like 'web-*', or give --all or --image");
  }
  return select_guests(site.registry(), options.names);
}

using BatchVerb = std::function<Result<void>(Workplace&, std::span<const GuestRecord>, const RunningNames&, Progress&)>;

Result<void> batch_verb(CliContext& cli, const GuestOptions& options, const char* word, const BatchVerb& act) {
  Site site = TRY(Site::open(cli));
  const std::vector<GuestRecord> guests = TRY(chosen(site, options));
  nlohmann::json names = nlohmann::json::array();
  std::string text;
  for (const GuestRecord& guest : guests) {
    names.push_back(guest.name);
    text += fmt::format("  {} in {}\n", guest.name, guest.store);
  }
  if (cli.plan_only()) {
    return cli.output().answer(
        {{"verb", fmt::format("guest {}", word)}, {"guests", names}},
        fmt::format("{} {} guest{}\n{}", word, guests.size(), guests.size() == 1 ? "" : "s", text));
  }
  nlohmann::json document{{"verb", fmt::format("guest {}", word)}, {"guests", names}};
  std::string before;
  if (options.changes) {
    const std::vector<GuestChanges> changes = TRY(report_changes(site.place(), guests, false, cli.progress()));
    document["changes"] = changes_json(changes);
    before = changes_table(changes).text({});
  }
  TRY(act(site.place(), guests, TRY(running_names(cli)), cli.progress()));
  return cli.output().answer(
      document, fmt::format("{}{} guest{}: {} done\n", before, guests.size(), guests.size() == 1 ? "" : "s", word));
}

Verb add_batch_verb(CliContext& cli, Verb guest, const char* word, const char* what,
                    const std::shared_ptr<GuestOptions>& options, CliContext::Action action) {
  Verb verb = cli.verb(guest, word, what, std::move(action), VerbKind::changes);
  verb.add_option("GUEST", options->names, "names or patterns ('web-*')");
  verb.add_option("--image", options->image, "all guests of this image");
  verb.add_flag("--all", options->all, "all guests (with --image: of that image)");
  return verb;
}

void add_reset_verb(CliContext& cli, Verb guest) {
  auto options = std::make_shared<GuestOptions>();
  const auto act = [options](Workplace& place, std::span<const GuestRecord> guests, const RunningNames& running,
                             Progress& progress) {
    return reset_guests(place, guests, running, progress, options->settle);
  };
  Verb verb = add_batch_verb(cli, guest, "reset", "back to the golden image, same identity", options,
                             [&cli, options, act] { return batch_verb(cli, *options, "reset", act); });
  verb.add_flag("--changes", options->changes, "print how much each had changed");
  verb.add_flag("--settle", options->settle, "write identities now; in a thin pool they wait for the next start");
}

void add_remove_verb(CliContext& cli, Verb guest) {
  auto options = std::make_shared<GuestOptions>();
  add_batch_verb(cli, guest, "remove", "remove guests and all that is theirs", options,
                 [&cli, options] { return batch_verb(cli, *options, "remove", remove_guests); });
}

}  // namespace

void add_guest_commands(CliContext& cli) {
  Verb guest = cli.noun("guest", "clones and their domains");
  auto options = std::make_shared<GuestOptions>();
  Verb list = cli.verb(guest, "list", "the guests of the registry",
                       [&cli, options] { return list_guests(cli, *options, false); });
  list.add_option("PATTERN", options->pattern, "only names that fit ('web-*')");
  list.add_option("--image", options->image, "only guests of this image");
  Verb show = cli.verb(guest, "show", "what is known of one", [&cli, options] { return show_guest(cli, *options); });
  show.add_option("GUEST", options->name, "its name").required();
  Verb config = cli.verb(guest, "config", "print its xl.cfg", [&cli, options] { return show_config(cli, *options); });
  config.add_option("GUEST", options->name, "its name").required();
  add_changes_command(cli, guest);
  add_run_commands(cli, guest);
  add_settle_command(cli, guest);
  add_life_commands(cli, guest);
  add_reset_verb(cli, guest);
  add_remove_verb(cli, guest);
}

void add_list_command(CliContext& cli) {
  auto options = std::make_shared<GuestOptions>();
  Verb verb = cli.verb(cli.top(), "list", "the guests, and with --json the images too",
                       [&cli, options] { return list_guests(cli, *options, true); });
  verb.add_option("PATTERN", options->pattern, "only names that fit ('web-*')");
  verb.add_option("--image", options->image, "only guests of this image");
}

}  // namespace domsmith
