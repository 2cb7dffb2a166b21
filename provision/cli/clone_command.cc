// domsmith clone IMAGE --name NAME --count N
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "provision/cli/guest_table.h"
#include "provision/cli/site.h"
#include "provision/guests/clone.h"

namespace domsmith {

namespace {

struct CloneOptions {
  std::string image;
  CloneRequest request;
  std::string domain = "small";
  std::string address, gateway;
  std::vector<std::string> dns;
  std::string keys_file;
};

// "192.0.2.10/24"
Result<StaticNetwork> parse_network(const CloneOptions& options) {
  StaticNetwork network;
  const auto slash = options.address.find('/');
  const std::string bad = fmt::format("'{}' is not an address with its prefix", options.address);
  if (slash == std::string::npos) {
    return fail(ErrorCode::bad_input, bad, "write it like --address 192.0.2.10/24");
  }
  network.address = options.address.substr(0, slash);
  const auto prefix = parse_size(options.address.substr(slash + 1));
  if (!prefix || *prefix > 128) {
    return fail(ErrorCode::bad_input, bad, "write it like --address 192.0.2.10/24");
  }
  network.prefix = static_cast<unsigned>(*prefix);
  network.gateway = options.gateway;
  network.dns = options.dns;
  TRY(check_static_network(network));
  return network;
}

Result<std::vector<std::string>> read_keys(const std::string& file) {
  std::vector<std::string> keys;
  for (const std::string& line : split_lines(TRY(read_file(file, 1U << 20)))) {
    const std::string key = trimmed(line);
    if (!key.empty() && !key.starts_with('#')) {
      TRY_AS(check_authorized_key(key), fmt::format("{} is no list of SSH public keys", file));
      keys.push_back(key);
    }
  }
  return keys;
}

Result<void> clone_verb(CliContext& cli, const CloneOptions& options) {
  const Settings settings = TRY(cli.settings());
  CloneRequest request = options.request;
  request.bridge = settings.bridge;
  request.mac_policy = TRY(MacPolicy::parse(settings.mac_prefix));
  if (!options.address.empty()) {
    request.network = TRY(parse_network(options));
  }
  if (!options.keys_file.empty()) {
    request.authorized_keys = TRY(read_keys(options.keys_file));
  }
  TRY(guest_names(request.name, request.count, request.first));
  const DomainTemplate domain = TRY(load_template(settings.templates, options.domain));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(site.image(*store, options.image));
  const ClonePlan plan = TRY(plan_clone(site.place(), *store, image, domain, request));
  if (cli.plan_only()) {
    return cli.output().answer(plan_json(plan), plan_text(plan));
  }
  const std::vector<GuestRecord> guests = TRY(clone_guests(site.place(), *store, plan, cli.progress()));
  const Domains domains = domains_now(cli);
  // The document holds a public key for each guest, which takes longer than all else: only for who asked for it.
  return cli.output().answer(cli.options().json ? guests_json(guests, domains) : nlohmann::json(),
                             guest_table(guests, domains), "");
}

}  // namespace

void add_clone_command(CliContext& cli) {
  auto options = std::make_shared<CloneOptions>();
  Verb verb = cli.verb(
      cli.top(), "clone", "make guests from a golden image", [&cli, options] { return clone_verb(cli, *options); },
      VerbKind::changes);
  verb.add_option("IMAGE", options->image, "the golden image").required();
  verb.add_option("--name", options->request.name, "NAME for one guest, NAME-1 to NAME-N for several").required();
  verb.add_option("--count", options->request.count, "how many (1)").range(1U, 100'000U);
  verb.add_option("--first", options->request.first, "the first number (1)");
  verb.add_option("--template", options->domain, "memory, vcpus and type (small); see: domsmith template list");
  verb.add_flag("--autostart", options->request.autostart, "start them with the host");
  verb.add_flag("--settle", options->request.settle,
                "write identities now; in a thin pool they wait for the first start");
  verb.add_flag("--ephemeral", options->request.ephemeral, "pristine at each start: a reset precedes it");
  verb.add_flag("--full", options->request.full, "copies that share nothing with the image, instead of snapshots");
  verb.add_option("--mac", options->request.macs, "a MAC of your own, for one guest");
  verb.add_option("--address", options->address,
                  "a static address of the first, e.g. 192.0.2.10/24, counted up; else DHCP");
  verb.add_option("--gateway", options->gateway, "with --address: the router");
  verb.add_option("--dns", options->dns, "with --address: name servers");
  verb.add_option("--ssh-keys", options->keys_file, "a file of public keys that may log in as root");
}

}  // namespace domsmith
