// The registry against /etc/xen, the boot files and the domains that run.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "imagebuild/boot/cache.h"
#include "provision/audit/compare.h"
#include "provision/domain/config_dir.h"

namespace domsmith {

namespace {

using Guests = std::unordered_map<std::string_view, const GuestRecord*>;

Guests by_name(const World& world) {
  Guests guests;
  for (const GuestRecord& guest : world.guests) {
    guests.emplace(guest.name, &guest);
  }
  return guests;
}

Difference about(const GuestRecord& guest, std::string kind, std::string text, Repair repair, std::string remedy = {}) {
  return {.kind = std::move(kind),
          .subject = "guest " + guest.name,
          .text = std::move(text),
          .repair = repair,
          .remedy = std::move(remedy),
          .name = guest.name,
          .store = guest.store};
}

const VolumeInfo* volume_of(const World& world, const GuestRecord& guest) {
  const StoreView* store = world.store(guest.store);
  return store != nullptr ? store->find(guest.volume) : nullptr;
}

// A config of the guest's own, and what a person may have changed in it.
void compare_content(const World& world, const GuestRecord& guest, const ConfigGlance& config,
                     std::vector<Difference>& into) {
  const std::string file = config_path(world.xen, config.stem).string();
  const VolumeInfo* volume = volume_of(world, guest);
  if (volume != nullptr && std::ranges::find(config.targets, volume->device) == config.targets.end()) {
    into.push_back(about(guest, "config-disk", fmt::format("{} does not name its disk {}", file, volume->device),
                         Repair::none, "if nobody meant that, remove the file and let audit --fix write it anew"));
  }
  const ImageRecord* image = world.image(guest.store, guest.image);
  if (image != nullptr && !image->kernel_sha256.empty()) {
    const std::string kernel = boot::BootCache(world.boot).kernel_path(image->kernel_sha256).string();
    if (config.kernel != kernel) {
      into.push_back(about(guest, "config-kernel",
                           fmt::format("{} boots '{}', and not its image's {}", file, config.kernel, kernel),
                           Repair::none, "if nobody meant that, remove the file and let audit --fix write it anew"));
    }
  }
  if (config.linked != guest.autostart) {
    into.push_back(about(guest, "autostart",
                         config.linked ? "it starts with the host, and the registry says that it does not"
                                       : "it does not start with the host, and the registry says that it does",
                         Repair::take_autostart));
  }
}

void compare_config(const World& world, const GuestRecord& guest, const ConfigGlance* config,
                    std::vector<Difference>& into) {
  const std::string file = config_path(world.xen, guest.name).string();
  if (config == nullptr) {
    into.push_back(about(guest, "config-missing", fmt::format("{} is not there", file), Repair::write_config));
  } else if (!config->ours) {
    into.push_back(about(guest, "config-foreign", fmt::format("{} is not domsmith's any more", file), Repair::none,
                         "move it away and run audit --fix, or leave it: then xl starts the guest, and domsmith not"));
  } else if (config->uuid != guest.uuid || config->name != guest.name) {
    into.push_back(about(guest, "config-other",
                         fmt::format("{} is about '{}' with UUID {}, and the registry says {}", file, config->name,
                                     config->uuid, guest.uuid),
                         Repair::none, "move it away and run audit --fix"));
  } else {
    compare_content(world, guest, *config, into);
  }
}

// Configs without a guest, and names that two configs hold.
void compare_other_configs(const World& world, const Guests& guests, std::vector<Difference>& into) {
  for (const ConfigGlance& config : world.configs.configs) {
    const std::string file = config_path(world.xen, config.stem).string();
    if (config.ours && !guests.contains(config.stem)) {
      into.push_back({.kind = "config-unowned",
                      .subject = file,
                      .text = "a config that domsmith wrote, of no guest",
                      .remedy = "domsmith gc removes it",
                      .name = config.stem,
                      .store = {}});
    } else if (config.name != config.stem && guests.contains(config.name)) {
      into.push_back({.kind = "name-twice",
                      .subject = "guest " + config.name,
                      .text = fmt::format("{} claims its name too", file),
                      .remedy = "give that domain another name, or move the file away",
                      .name = config.name,
                      .store = {}});
    }
  }
  for (const std::string& sentence : world.configs.unreadable) {
    into.push_back({.kind = "config-unreadable",
                    .subject = world.xen.string(),
                    .text = sentence,
                    .remedy = "look at the file",
                    .name = {},
                    .store = {}});
  }
}

void compare_boot_files(const World& world, const ImageRecord& image, std::vector<Difference>& into) {
  if (image.kernel_sha256.empty()) {
    return;
  }
  const boot::BootCache cache(world.boot);
  for (const auto& path : {cache.kernel_path(image.kernel_sha256), cache.initrd_path(image.initrd_sha256)}) {
    if (!world.boot_files.contains(path.filename().string())) {
      into.push_back({.kind = "boot-missing",
                      .subject = "image " + image.name,
                      .text = fmt::format("its boot file {} is not there: none of its guests can start", path.string()),
                      .repair = Repair::put_boot_files,
                      .remedy = {},
                      .name = image.name,
                      .store = image.store});
    }
  }
}

}  // namespace

void compare_configs(const World& world, std::vector<Difference>& into) {
  const Guests guests = by_name(world);
  for (const GuestRecord& guest : world.guests) {
    if (!settled(guest)) {
      continue;
    }
    const auto config = std::ranges::lower_bound(world.configs.configs, guest.name, {}, &ConfigGlance::stem);
    const bool there = config != world.configs.configs.end() && config->stem == guest.name;
    compare_config(world, guest, there ? &*config : nullptr, into);
  }
  compare_other_configs(world, guests, into);
  for (const ImageRecord& image : world.images) {
    if (settled(image)) {
      compare_boot_files(world, image, into);
    }
  }
}

void compare_domains(const World& world, std::vector<Difference>& into) {
  if (!world.domains) {
    return;
  }
  for (const GuestRecord& guest : world.guests) {
    const VolumeInfo* volume = volume_of(world, guest);
    if (!settled(guest) || volume == nullptr) {
      continue;
    }
    const auto domain = world.domains->find(guest.name);
    if (domain == world.domains->end()) {
      if (volume->active) {
        into.push_back(about(guest, "volume-active",
                             fmt::format("it does not run, and its volume {} is in use", volume->device),
                             Repair::deactivate));
      }
    } else if (domain->second.uuid != guest.uuid) {
      into.push_back(about(guest, "domain-other",
                           fmt::format("a domain of its name runs with UUID {}, and the registry says {}",
                                       domain->second.uuid, guest.uuid),
                           Repair::none, "find out who started it: xl list -v"));
    } else if (!volume->active) {
      into.push_back(about(guest, "volume-idle",
                           fmt::format("it runs, and its volume {} is not marked as in use: a "
                                       "reset could take it away",
                                       volume->device),
                           Repair::activate));
    }
  }
}

}  // namespace domsmith
