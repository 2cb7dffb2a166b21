#include "provision/guests/promote.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "imagebuild/boot/cache.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/guests/settle.h"
#include "provision/identity/strip.h"
#include "provision/images/copy_used.h"
#include "provision/images/inspect.h"
#include "provision/images/make_image.h"

namespace domsmith {

namespace {

// An image that does not describe itself gives its clones the boot files that its row names.
Result<Populated> boot_files_of(const Workplace& place, const ImageRecord& origin) {
  const boot::BootCache cache(place.boot);
  Populated populated;
  populated.packages = origin.packages;
  populated.boot.version = origin.kernel_version;
  populated.boot.cmdline = origin.cmdline;
  populated.boot.kernel_sha256 = origin.kernel_sha256;
  populated.boot.initrd_sha256 = origin.initrd_sha256;
  if (!origin.kernel_sha256.empty()) {
    populated.boot.kernel = TRY(read_file(cache.kernel_path(origin.kernel_sha256), boot::longest_boot_file));
    populated.boot.initrd = TRY(read_file(cache.initrd_path(origin.initrd_sha256), boot::longest_boot_file));
  }
  return populated;
}

// The kernel may be a newer one than the origin's: it is looked for in the guest's own file system.
Result<Populated> what_it_holds(const Workplace& place, BlockTarget& target, const ImageRecord& origin) {
  auto seen = inspect_image(target);
  if (seen) {
    return seen->content;
  }
  if (seen.error().code != ErrorCode::not_found) {
    return std::unexpected(std::move(seen).error());
  }
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_only));
  Populated populated = TRY(boot_files_of(place, origin));
  populated.used = fs.used_bytes();
  populated.filesystem_uuid = extfs::uuid_text(fs.uuid());
  return populated;
}

Result<void> rename_image(extfs::FileSystem& fs, const ImageRecord& image) {
  auto description = read_description(fs);
  if (!description && description.error().code == ErrorCode::not_found) {
    return {};
  }
  ImageDescription changed = TRY(std::move(description));
  changed.name = image.name;
  changed.version = image.version;
  changed.recipe_sha256.clear();  // no recipe gives this
  return write_description(fs, changed);
}

Result<Populated> populate_from_guest(const Workplace& place, VolumeStore& store, const PromotePlan& plan,
                                      BlockTarget& target, Progress& progress) {
  {
    // Open, it is in use: nobody starts, resets or removes the guest meanwhile.
    const std::unique_ptr<BlockTarget> from = TRY(store.open(plan.guest.volume, Access::read_only));
    progress.begin("copy", from->size(), "bytes");
    TRY_AS(copy_used_blocks(*from, target, progress), fmt::format("cannot copy guest '{}'", plan.guest.name));
    progress.end("copy");
  }
  {
    extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_write));
    TRY(remove_identity(fs, plan.guest.identity, plan.image.name));
    TRY(rename_image(fs, plan.image));
    TRY(fs.close());
  }
  TRY(discard_free_blocks(target));  // the guest's private keys among them
  return what_it_holds(place, target, plan.origin);
}

}  // namespace

Result<PromotePlan> plan_promote(Workplace& place, VolumeStore& store, const GuestRecord& guest,
                                 const std::string& image, const std::string& version) {
  TRY(check_name("name of an image", image));
  PromotePlan plan;
  plan.guest = guest;
  plan.origin = TRY(place.registry.find_image(guest.store, guest.image));
  plan.image = plan.origin;
  plan.image.name = plan.image.volume = image;
  plan.image.version = version.empty() ? plan.origin.version : version;
  plan.image.recipe_sha256.clear();
  plan.image.size = TRY(store.find(guest.volume)).size;
  plan.volume_commands = store.plan_create(image, plan.image.size);
  for (std::string& command : store.plan_seal(image)) {
    plan.volume_commands.push_back(std::move(command));
  }
  return plan;
}

std::string plan_text(const PromotePlan& plan) {
  std::string text =
      fmt::format("image {} {} in {} from guest {} (a clone of {}), {}\n", plan.image.name, plan.image.version,
                  plan.image.store, plan.guest.name, plan.origin.name, size_text(plan.image.size));
  for (const std::string& command : plan.volume_commands) {
    text += fmt::format("  run: {}\n", command);
  }
  return text + fmt::format(
                    "  copy the used blocks of volume {}\n"
                    "  remove from the copy: machine-id, SSH host keys, network files, seeds, leases, the "
                    "keys and the name of {}\n",
                    plan.guest.volume, plan.guest.name);
}

nlohmann::json plan_json(const PromotePlan& plan) {
  return {{"verb", "guest promote"},        {"guest", plan.guest.name},
          {"image", plan.image.name},       {"version", plan.image.version},
          {"store", plan.image.store},      {"size", plan.image.size},
          {"from_image", plan.origin.name}, {"volume_commands", plan.volume_commands}};
}

Result<ImageRecord> promote_guest(Workplace& place, VolumeStore& store, const PromotePlan& plan,
                                  const RunningNames& running, Progress& progress) {
  TRY(check_stopped(std::span(&plan.guest, 1), running));
  if (plan.guest.state != GuestState::ready) {
    return fail(ErrorCode::busy, fmt::format("guest '{}' is {}", plan.guest.name, state_text(plan.guest.state)),
                "wait for that to end; should its process have died: domsmith recover");
  }
  // What waits for its first start holds nothing of its own; with its identity it is like any other guest.
  TRY(settle_guests(place, std::span(&plan.guest, 1), VolumeStore::Settled::put_away, progress));
  ImageRecord image = plan.image;
  image.created = system_clock().now();
  return make_image(
      place, store, "promote", std::move(image),
      [&](BlockTarget& target, const std::filesystem::path&) {
        return populate_from_guest(place, store, plan, target, progress);
      },
      progress);
}

}  // namespace domsmith
