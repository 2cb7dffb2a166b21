#include "provision/guests/settle.h"

#include <fmt/format.h>

#include "base/interrupt.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/write.h"

namespace domsmith {

namespace {

Result<void> settle(VolumeStore& store, const GuestRecord& guest, Progress& progress) {
  const std::unique_ptr<BlockTarget> target = TRY(store.open(guest.volume, Access::read_write));
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(*target, Access::read_write));
  TRY(write_identity(fs, guest.identity, progress));
  return fs.close();
}

}  // namespace

Result<void> settle_identities(VolumeStore& store, std::span<const GuestRecord> guests, Progress& progress) {
  progress.begin("identities", guests.size(), "clones");
  std::uint64_t done = 0;
  for (const GuestRecord& guest : guests) {
    TRY(check_interrupted());
    TRY_AS(settle(store, guest, progress), fmt::format("cannot give '{}' its identity", guest.name));
    progress.advance("identities", ++done, guests.size(), "clones");
  }
  progress.end("identities");
  return {};
}

}  // namespace domsmith
