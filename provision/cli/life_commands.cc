// domsmith guest promote|rebase|resize
#include <fmt/format.h>

#include "base/text.h"
#include "provision/cli/site.h"
#include "provision/guests/promote.h"
#include "provision/guests/rebase.h"
#include "provision/guests/resize.h"

namespace domsmith {

namespace {

struct LifeOptions {
  std::string guest;
  std::string image;
  std::string version;
  std::vector<std::string> guests;
  std::string size;
  bool force = false;
};

Result<std::unique_ptr<VolumeStore>> store_of(CliContext& cli, const GuestRecord& guest) {
  auto store = TRY(open_store(guest.store));
  store->report_to(cli.progress());
  return store;
}

Result<void> promote_verb(CliContext& cli, const LifeOptions& options) {
  Site site = TRY(Site::open(cli));
  const GuestRecord guest = TRY(site.registry().find_guest(options.guest));
  const std::unique_ptr<VolumeStore> store = TRY(store_of(cli, guest));
  const PromotePlan plan = TRY(plan_promote(site.place(), *store, guest, options.image, options.version));
  if (cli.plan_only()) {
    return cli.output().answer(plan_json(plan), plan_text(plan));
  }
  const ImageRecord image = TRY(promote_guest(site.place(), *store, plan, TRY(running_names(cli)), cli.progress()));
  return cli.output().answer(record_json(image), fmt::format("golden image {} is in {}\n", image.name, image.store));
}

Result<void> rebase_verb(CliContext& cli, const LifeOptions& options) {
  Site site = TRY(Site::open(cli));
  const std::vector<GuestRecord> guests = TRY(select_guests(site.registry(), options.guests));
  const RebaseRequest request{.image = options.image, .force = options.force};
  if (cli.plan_only()) {
    return cli.output().answer(plan_json(guests, request), plan_text(guests, request));
  }
  TRY(rebase_guests(site.place(), guests, request, TRY(running_names(cli)), cli.progress()));
  return cli.output().answer(plan_json(guests, request),
                             fmt::format("{} guest{} of image {} now\n", guests.size(),
                                         guests.size() == 1 ? " is a clone" : "s are clones", options.image));
}

Result<void> resize_verb(CliContext& cli, const LifeOptions& options) {
  const auto size = parse_size(options.size);
  if (!size) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no size", options.size), "write it like 4GiB or 512MiB");
  }
  Site site = TRY(Site::open(cli));
  const GuestRecord guest = TRY(site.registry().find_guest(options.guest));
  const ResizePlan plan = TRY(plan_resize(*TRY(store_of(cli, guest)), guest, *size));
  if (cli.plan_only()) {
    return cli.output().answer(plan_json(plan), plan_text(plan));
  }
  TRY(resize_guest(site.place(), guest, *size, TRY(running_names(cli)), cli.progress()));
  return cli.output().answer(plan_json(plan), fmt::format("guest {} is {} long\n", guest.name, size_text(*size)));
}

}  // namespace

void add_life_commands(CliContext& cli, Verb guest) {
  auto options = std::make_shared<LifeOptions>();
  Verb promote = cli.verb(
      guest, "promote", "make a golden image of what a guest has become, without its identity",
      [&cli, options] { return promote_verb(cli, *options); }, VerbKind::changes);
  promote.add_option("GUEST", options->guest, "a guest that does not run; it stays as it is").required();
  promote.add_option("IMAGE", options->image, "the new image's name").required();
  promote.add_option("--version", options->version, "its version; default: that of the guest's image");
  Verb rebase = cli.verb(
      guest, "rebase", "make guests clones of another golden image, same identity",
      [&cli, options] { return rebase_verb(cli, *options); }, VerbKind::changes);
  rebase.add_option("GUEST", options->guests, "names or patterns ('web-*') of guests that do not run").required();
  rebase.add_option("--image", options->image, "the other image, in the same store").required();
  rebase.add_flag("--force", options->force, "what they have written may be lost");
  Verb resize = cli.verb(
      guest, "resize", "make a guest's disk longer or shorter, its file system too",
      [&cli, options] { return resize_verb(cli, *options); }, VerbKind::changes);
  resize.add_option("GUEST", options->guest, "a guest that does not run").required();
  resize.add_option("SIZE", options->size, "how long it shall be: 4GiB").required();
}

}  // namespace domsmith
