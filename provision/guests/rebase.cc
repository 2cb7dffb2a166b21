#include "provision/guests/rebase.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "imagebuild/boot/cache.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/changes_report.h"
#include "provision/guests/fresh_volumes.h"
#include "provision/guests/guest_lock.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

using Guests = std::span<const GuestRecord>;

// Nothing that a guest has written is lost unasked.
Result<void> check_unchanged(Workplace& place, VolumeStore& store, Guests guests, Progress& progress) {
  GuestComparer comparer = TRY(GuestComparer::of(place, store));
  progress.begin("changes", guests.size(), "guests");
  std::uint64_t done = 0;
  for (const GuestRecord& guest : guests) {
    if (!guest.ephemeral) {
      const Changes changes = TRY(comparer.changes(guest));
      if (changes.count > 0) {
        return fail(ErrorCode::failed,
                    fmt::format("guest '{}' has changed {} file{}, which would be lost: {}", guest.name, changes.count,
                                changes.count == 1 ? "" : "s", paths_text(changes)),
                    "save what matters, then give --force");
      }
    }
    progress.advance("changes", ++done, guests.size(), "guests");
  }
  progress.end("changes");
  return {};
}

// Before anything is begun: configs that cannot be changed later would hold up the end.
Result<void> check_configs(const Workplace& place, Guests guests) {
  for (const GuestRecord& guest : guests) {
    TRY_AS(read_config(place.xen, guest.name), fmt::format("cannot change the config of guest '{}'", guest.name));
  }
  return {};
}

nlohmann::json former_images(Guests guests) {
  nlohmann::json images = nlohmann::json::object();
  for (const GuestRecord& guest : guests) {
    images[guest.name] = guest.image;
  }
  return images;
}

Result<void> mark(Workplace& place, Operation& operation, Guests guests, const RebaseRequest& request,
                  const RunningNames& running) {
  const FileLock alone = TRY(lock_guests(place, FileLock::Mode::exclusive));
  TRY(check_stopped(guests, running));
  std::vector<std::string> names;
  for (const GuestRecord& guest : guests) {
    names.push_back(guest.name);
  }
  TRY(operation.perform("mark", {{"images", former_images(guests)}},
                        [&] { return place.registry.begin_rebase(names, request.image, operation.id()); }));
  return operation.commit();
}

// Old volumes go and new ones come: what is there of the new image already is made anew, so that it can be repeated.
Result<void> replace_volumes(VolumeStore& store, Guests guests, const ImageRecord& image, Progress& progress) {
  std::vector<std::string> all, snapshots;
  std::vector<GuestRecord> copies;
  for (const GuestRecord& guest : guests) {
    all.push_back(guest.volume);
    if (guest.full) {
      copies.push_back(guest);
    } else {
      snapshots.push_back(guest.volume);
    }
  }
  TRY(store.deactivate_all(all));
  TRY(store.remove(all));
  TRY(fail_point("rebase.volumes.removed"));
  if (!snapshots.empty()) {
    TRY(store.clone(image.volume, snapshots));
  }
  return make_full_copies(store, image, copies, progress);
}

// What a person changed in a config stays; kernel, ramdisk, the first disk and the image's own part of the command line
// are the new image's.
Result<void> change_configs(Workplace& place, VolumeStore& store, Guests guests, const ImageRecord& image,
                            const std::map<std::string, std::string>& former_cmdlines) {
  const boot::BootCache cache(place.boot);
  std::map<std::string, std::string> devices;  // of volumes; a folder keeps clones by their image
  for (const VolumeInfo& volume : TRY(store.list())) {
    devices.emplace(volume.name, volume.device);
  }
  std::vector<DomainSpec> specs;
  for (const GuestRecord& guest : guests) {
    const auto text = read_config_text(place.xen, guest.name);
    if (!text || !written_by_domsmith(*text)) {
      continue;  // gone since: audit --fix writes it; or a person's
    }
    DomainSpec changed = TRY(read_config(place.xen, guest.name));
    changed.kernel = cache.kernel_path(image.kernel_sha256).string();
    changed.ramdisk = cache.initrd_path(image.initrd_sha256).string();
    if (const auto device = devices.find(guest.volume); device != devices.end() && !changed.disks.empty()) {
      changed.disks.front().target = device->second;
    }
    const auto former = former_cmdlines.find(guest.name);
    if (former != former_cmdlines.end() && changed.cmdline.starts_with(former->second)) {
      changed.cmdline.replace(0, former->second.size(), image.cmdline);
    }
    specs.push_back(std::move(changed));
  }
  return put_configs(place.xen, specs);
}

Result<void> finish(Workplace& place, VolumeStore& store, const Operation& operation, Guests guests,
                    Progress& progress) {
  if (guests.empty()) {
    return {};
  }
  const ImageRecord image = TRY(place.registry.find_image(guests.front().store, guests.front().image));
  const auto cmdlines = operation.parameters().value("cmdlines", std::map<std::string, std::string>());
  std::vector<std::string> names;
  std::ranges::transform(guests, std::back_inserter(names), &GuestRecord::name);
  TRY(undoing("rebase-volumes", [&] { return replace_volumes(store, guests, image, progress); }));
  const std::vector<GuestRecord> at_once = settled_at_once(store, guests, false);
  if (!at_once.empty()) {
    TRY(undoing("identities", [&] { return settle_identities(store, at_once, progress); }));
  }
  TRY(undoing("rebase-configs", [&] { return change_configs(place, store, guests, image, cmdlines); }));
  return undoing("ready", [&]() -> Result<void> {
    TRY(place.registry.set_state(names, GuestState::ready, ""));
    return {};
  });
}

Result<void> undo(Workplace& place, const Operation& operation) {
  for (const JournalStep& step : operation.steps()) {
    const auto images = step.arguments.value("images", std::map<std::string, std::string>());
    for (const GuestRecord& guest : TRY(place.registry.rows_of_operation(operation.id())).guests) {
      if (const auto image = images.find(guest.name); image != images.end()) {
        TRY(undoing("rebase-mark", [&] { return place.registry.undo_rebase(guest.name, image->second); }));
      }
    }
  }
  return {};
}

// Each guest's own, for change_configs(): the former image may be gone by then.
Result<std::map<std::string, std::string>> cmdlines_of(Workplace& place, Guests guests) {
  std::map<std::string, std::string> cmdlines;
  for (const GuestRecord& guest : guests) {
    cmdlines[guest.name] = TRY(place.registry.find_image(guest.store, guest.image)).cmdline;
  }
  return cmdlines;
}

Result<void> rebase_in_store(Workplace& place, const std::string& store_name, Guests guests,
                             const RebaseRequest& request, const RunningNames& running, Progress& progress) {
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(store_name));
  const ImageRecord image = TRY(place.registry.find_image(store_name, request.image));
  if (image.kernel_sha256.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("image '{}' has no kernel, so its clones could not boot", image.name),
                "give its recipe a [boot] kernel and build it again");
  }
  TRY(check_configs(place, guests));
  if (!request.force) {
    TRY(check_unchanged(place, *store, guests, progress));
  }
  Operation operation = TRY(place.journal.begin(
      "rebase", {{"store", store_name}, {"image", request.image}, {"cmdlines", TRY(cmdlines_of(place, guests))}}));
  return carry_out(
      std::move(operation),
      [&](Operation& begun) -> Result<void> {
        TRY(mark(place, begun, guests, request, running));
        return finish(place, *store, begun, TRY(place.registry.rows_of_operation(begun.id())).guests, progress);
      },
      [&](Operation& begun) { return undo(place, begun); });
}

}  // namespace

std::string plan_text(std::span<const GuestRecord> guests, const RebaseRequest& request) {
  std::string text = fmt::format("{} guest{} become clones of image {}\n", guests.size(), guests.size() == 1 ? "" : "s",
                                 request.image);
  for (const GuestRecord& guest : guests) {
    text +=
        fmt::format("  {} in {}: from {}; remove its volume, {} image {}, give it its identity, change its config\n",
                    guest.name, guest.store, guest.image, guest.full ? "copy" : "clone", request.image);
  }
  return text +
         (request.force ? "  what they have written is lost\n" : "  refused where one of them has written files\n");
}

nlohmann::json plan_json(std::span<const GuestRecord> guests, const RebaseRequest& request) {
  nlohmann::json names = nlohmann::json::array();
  for (const GuestRecord& guest : guests) {
    names.push_back({{"name", guest.name}, {"from", guest.image}, {"store", guest.store}});
  }
  return {{"verb", "guest rebase"}, {"image", request.image}, {"force", request.force}, {"guests", std::move(names)}};
}

Result<void> rebase_guests(Workplace& place, std::span<const GuestRecord> guests, const RebaseRequest& request,
                           const RunningNames& running, Progress& progress) {
  std::map<std::string, std::vector<GuestRecord>> by_store;
  for (const GuestRecord& guest : guests) {
    by_store[guest.store].push_back(guest);
  }
  for (const auto& [store, part] : by_store) {
    TRY(rebase_in_store(place, store, part, request, running, progress));
  }
  return {};
}

Result<void> recover_rebase(Workplace& place, Operation& operation, Progress& progress) {
  if (!operation.committed()) {
    return undo(place, operation);
  }
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(operation.parameters().value("store", "")));
  return finish(place, *store, operation, TRY(place.registry.rows_of_operation(operation.id())).guests, progress);
}

}  // namespace domsmith
