#include "provision/guests/settle.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "base/interrupt.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/write.h"

namespace domsmith {

namespace {

// What is said of one clone of an image is true of all of them: each note once.
class EachNoteOnce final : public Progress {
 public:
  explicit EachNoteOnce(Progress& listener) : listener_(&listener) {}
  void event(const ProgressEvent& event) override {
    const bool note = event.kind == ProgressEvent::Kind::note || event.kind == ProgressEvent::Kind::warning;
    if (!note || told_.insert(event.text).second) {
      listener_->event(event);
    }
  }

 private:
  Progress* listener_;
  std::set<std::string> told_;
};

Result<void> settle(VolumeStore& store, const GuestRecord& guest, Progress& progress) {
  const std::unique_ptr<BlockTarget> target = TRY(store.open(guest.volume, Access::read_write));
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(*target, Access::read_write));
  TRY(write_identity(fs, guest.identity, progress));
  return fs.close();
}

}  // namespace

Result<void> settle_identities(VolumeStore& store, std::span<const GuestRecord> guests, Progress& listener) {
  EachNoteOnce progress(listener);
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
