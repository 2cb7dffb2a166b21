// A world in which all is well: an image "gold" with the guests web-1 and web-2 in one store.
#pragma once

#include <string>

#include "provision/audit/compare.h"

namespace domsmith {

inline constexpr const char* kStore = "memory:audit";

inline std::string boot_name(const std::string& kind, char digit) { return kind + "-" + std::string(64, digit); }

inline GuestRecord sample_guest(const std::string& name) {
  GuestRecord guest;
  guest.name = guest.volume = name;
  guest.image = "gold";
  guest.store = kStore;
  guest.uuid = "uuid-of-" + name;
  guest.template_name = "small";
  guest.state = GuestState::ready;
  return guest;
}

inline VolumeInfo sample_volume(const std::string& name, VolumeKind kind) {
  VolumeInfo volume;
  volume.name = name;
  volume.kind = kind;
  volume.origin = kind == VolumeKind::clone ? "gold" : "";
  volume.size = 1U << 20;
  volume.device = "/memory/audit/" + name;
  return volume;
}

inline ConfigGlance sample_config(const std::string& name) {
  return {.stem = name,
          .ours = true,
          .name = name,
          .uuid = "uuid-of-" + name,
          .kernel = "/boot/" + boot_name("kernel", 'a'),
          .ramdisk = "/boot/" + boot_name("initrd", 'b'),
          .targets = {"/memory/audit/" + name},
          .linked = false};
}

inline World sample_world() {
  World world;
  ImageRecord image;
  image.name = image.volume = "gold";
  image.store = kStore;
  image.size = 1U << 20;
  image.kernel_sha256 = std::string(64, 'a');
  image.initrd_sha256 = std::string(64, 'b');
  image.state = ImageState::ready;
  world.images.push_back(image);
  world.xen = "/etc/xen";
  world.boot = "/boot";
  world.boot_files = {boot_name("kernel", 'a'), boot_name("initrd", 'b')};
  world.stores.push_back({.name = kStore, .survey = {}, .unreadable = {}});
  auto& volumes = world.stores.front().survey.volumes;
  volumes.push_back(sample_volume("gold", VolumeKind::golden));
  for (const char* name : {"web-1", "web-2"}) {
    world.guests.push_back(sample_guest(name));
    world.configs.configs.push_back(sample_config(name));
    volumes.push_back(sample_volume(name, VolumeKind::clone));
  }
  world.domains.emplace();
  return world;
}

inline RunningDomain sample_domain(const std::string& name) {
  RunningDomain domain;
  domain.name = name;
  domain.uuid = "uuid-of-" + name;
  return domain;
}

}  // namespace domsmith
