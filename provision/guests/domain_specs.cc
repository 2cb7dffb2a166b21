#include "provision/guests/domain_specs.h"

#include <fmt/format.h>

#include <algorithm>

#include "imagebuild/boot/cache.h"

namespace domsmith {

Result<std::vector<DomainSpec>> domain_specs(const Workplace& place, VolumeStore& store, const DomainBasis& basis,
                                             std::span<const GuestRecord> guests) {
  const std::vector<VolumeInfo> volumes = TRY(store.list());  // sorted by name
  const boot::BootCache cache(place.boot);
  std::vector<DomainSpec> specs;
  for (const GuestRecord& guest : guests) {
    const auto volume = std::ranges::lower_bound(volumes, guest.volume, {}, &VolumeInfo::name);
    if (volume == volumes.end() || volume->name != guest.volume) {
      return fail(ErrorCode::failed, fmt::format("the volume of '{}' is gone from {}", guest.name, store.name()));
    }
    GuestFacts facts;
    facts.name = guest.name;
    facts.uuid = guest.uuid;
    facts.kernel = cache.kernel_path(basis.image.kernel_sha256).string();
    facts.ramdisk = cache.initrd_path(basis.image.initrd_sha256).string();
    facts.cmdline = basis.image.cmdline;
    facts.disks.push_back({.target = volume->device, .phy = volume->disk_spec == "phy"});
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
