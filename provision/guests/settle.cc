#include "provision/guests/settle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/guests/guest_lock.h"
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

}  // namespace

Result<void> write_own(const GuestRecord& guest, BlockTarget& target, Progress& progress) {
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(target, Access::read_write));
  TRY_AS(write_identity(fs, guest.identity, progress), fmt::format("cannot give '{}' its identity", guest.name));
  return fs.close();
}

Result<void> settle_identities(VolumeStore& store, std::span<const GuestRecord> guests, Progress& listener,
                               VolumeStore::Settled then) {
  EachNoteOnce progress(listener);
  std::map<std::string_view, const GuestRecord*> by_volume;
  std::vector<std::string> volumes;
  for (const GuestRecord& guest : guests) {
    by_volume.emplace(guest.volume, &guest);
    volumes.push_back(guest.volume);
  }
  progress.begin("identities", guests.size(), "clones");
  std::uint64_t done = 0;
  TRY(store.settle(volumes, then, [&](std::string_view volume, BlockTarget& target) -> Result<void> {
    TRY(check_interrupted());
    const GuestRecord& guest = *by_volume.at(volume);
    TRY(write_own(guest, target, progress));
    progress.advance("identities", ++done, guests.size(), "clones");
    return fail_point("settle.identity");
  }));
  progress.end("identities");
  return {};
}

std::vector<GuestRecord> settled_at_once(const VolumeStore& store, std::span<const GuestRecord> guests, bool all) {
  std::vector<GuestRecord> chosen;
  std::ranges::copy_if(guests, std::back_inserter(chosen), [&](const GuestRecord& guest) {
    return !guest.full && (all || guest.autostart || !store.makes_fresh());
  });
  return chosen;
}

namespace {

Result<void> check_ready(const GuestRecord& guest) {
  if (guest.state == GuestState::ready) {
    return {};
  }
  return fail(ErrorCode::busy, fmt::format("guest '{}' is {}", guest.name, state_text(guest.state)),
              "wait for that to end; should its process have died: domsmith recover");
}

// Of one store.
Result<void> settle_in(VolumeStore& store, std::span<const GuestRecord> guests, VolumeStore::Settled then,
                       Progress& progress, std::vector<std::string>& names) {
  std::map<std::string, bool, std::less<>> fresh;
  for (const VolumeInfo& volume : TRY(store.list())) {
    fresh.emplace(volume.name, volume.fresh);
  }
  std::vector<GuestRecord> waiting;
  for (const GuestRecord& guest : guests) {
    const auto found = fresh.find(guest.volume);
    if (found != fresh.end() && found->second) {
      waiting.push_back(guest);
      names.push_back(guest.name);
    } else if (then == VolumeStore::Settled::activated) {
      TRY(store.activate(guest.volume));
    }
  }
  return settle_identities(store, waiting, progress, then);
}

}  // namespace

Result<std::vector<std::string>> settle_guests(Workplace& place, std::span<const GuestRecord> guests,
                                               VolumeStore::Settled then, Progress& progress) {
  const FileLock shared = TRY(lock_guests(place, FileLock::Mode::shared));
  std::map<std::string, std::vector<GuestRecord>> by_store;
  for (const GuestRecord& guest : guests) {
    const GuestRecord now = TRY(place.registry.find_guest(guest.name));  // as it is under the lock
    TRY(check_ready(now));
    by_store[now.store].push_back(now);
  }
  std::vector<std::string> names;
  for (const auto& [store_name, part] : by_store) {
    const std::unique_ptr<VolumeStore> store = TRY(place.open_store(store_name));
    TRY(settle_in(*store, part, then, progress, names));
  }
  return names;
}

}  // namespace domsmith
