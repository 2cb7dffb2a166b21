#include "provision/guests/domain_specs.h"

#include <fmt/format.h>

#include <map>

#include "imagebuild/boot/cache.h"

namespace domsmith {

Result<std::vector<DomainSpec>> domain_specs(const Workplace& place, VolumeStore& store, const DomainBasis& basis,
                                             std::span<const GuestRecord> guests) {
  std::map<std::string, VolumeInfo> volumes;
  for (VolumeInfo& volume : TRY(store.list())) {
    volumes.emplace(volume.name, std::move(volume));
  }
  const boot::BootCache cache(place.boot);
  std::vector<DomainSpec> specs;
  for (const GuestRecord& guest : guests) {
    const auto volume = volumes.find(guest.volume);
    if (volume == volumes.end()) {
      return fail(ErrorCode::failed, fmt::format("the volume of '{}' is gone from {}", guest.name, store.name()));
    }
    GuestFacts facts;
    facts.name = guest.name;
    facts.uuid = guest.uuid;
    facts.kernel = cache.kernel_path(basis.image.kernel_sha256).string();
    facts.ramdisk = cache.initrd_path(basis.image.initrd_sha256).string();
    facts.cmdline = basis.image.cmdline;
    facts.disks.push_back({.target = volume->second.device, .phy = volume->second.disk_spec == "phy"});
    facts.macs = guest.identity.macs;
    facts.default_bridge = basis.bridge;
    facts.autostart = guest.autostart;
    DomainSpec spec = TRY(make_domain_spec(basis.domain, facts));
    if (guest.ephemeral) {
      spec.on_reboot = DomainAction::destroy;  // a restart by its monitor would keep what was written
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace domsmith
