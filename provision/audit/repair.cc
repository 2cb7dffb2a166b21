#include "provision/audit/repair.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/error_sentence.h"
#include "imagebuild/boot/cache.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/domain_specs.h"
#include "provision/guests/guest_lock.h"
#include "provision/images/boot_shelf.h"
#include "provision/images/inspect.h"
#include "provision/recovery/recover.h"

namespace domsmith {

namespace {

class Repairer {
 public:
  Repairer(Workplace& place, const RepairNeeds& needs, Progress& progress)
      : place_(place), needs_(needs), progress_(progress) {}

  Result<void> act(const Difference& difference) {
    switch (difference.repair) {
      case Repair::none:
        break;
      case Repair::recover:
        return recover_once(difference.store);
      case Repair::write_config:
        return written(difference.name);
      case Repair::take_autostart:
        return take_autostart(difference.name);
      case Repair::put_boot_files:
        return put_boot_files(difference.store, difference.name);
      case Repair::activate:
      case Repair::deactivate:
        return mark_volume(difference.name, difference.repair == Repair::activate);
    }
    return {};
  }

  // All at once, one flush for those of a kind; what fails is told by act().
  Result<void> write_configs(std::span<const std::string> names) {
    const FileLock shared = TRY(lock_guests(place_, FileLock::Mode::shared));
    std::map<Kind, std::vector<GuestRecord>> kinds;
    for (const std::string& name : names) {
      if (auto guest = ready_guest(name)) {
        kinds[{guest->store, guest->image, guest->template_name}].push_back(*std::move(guest));
      } else {
        unwritten_.emplace(name, std::move(guest).error());
      }
    }
    for (const auto& [kind, guests] : kinds) {
      if (const auto done = write_kind(kind, guests); !done) {
        for (const GuestRecord& guest : guests) {
          unwritten_.emplace(guest.name, done.error());
        }
      }
    }
    return {};
  }

 private:
  // One recovery ends everything that was cut off; each store is tidied once.
  Result<void> recover_once(const std::string& store) {
    if (!recovered_) {
      recovered_ = true;
      TRY(recover(place_, progress_));
    }
    if (!store.empty() && tidied_.insert(store).second) {
      return TRY(place_.open_store(store))->recover();
    }
    return {};
  }

  // The guest as it is now, and with the lock that keeps it so: busy where a verb has it.
  Result<GuestRecord> ready_guest(const std::string& name) {
    GuestRecord guest = TRY(place_.registry.find_guest(name));
    if (guest.state != GuestState::ready) {
      return fail(ErrorCode::busy, fmt::format("guest '{}' is {}", name, state_text(guest.state)));
    }
    return guest;
  }

  Result<void> written(const std::string& name) {
    const auto failure = unwritten_.find(name);
    return failure == unwritten_.end() ? Result<void>() : std::unexpected(failure->second);
  }

  // What guests of one kind share.
  struct Kind {
    std::string store, image, domain;
    auto operator<=>(const Kind&) const = default;
  };

  Result<void> write_kind(const Kind& kind, std::span<const GuestRecord> guests) {
    const ImageRecord image = TRY(place_.registry.find_image(kind.store, kind.image));
    const DomainTemplate domain = TRY(needs_.load_template(kind.domain));
    const std::unique_ptr<VolumeStore> store = TRY(place_.open_store(kind.store));
    return put_configs(place_.xen, TRY(domain_specs(place_, *store, {image, domain, needs_.bridge}, guests)));
  }

  Result<void> take_autostart(const std::string& name) {
    const DomainSpec spec = TRY(read_config(place_.xen, name));
    return place_.registry.set_autostart(name, spec.autostart);
  }

  Result<void> put_boot_files(const std::string& store_name, const std::string& name) {
    const FileLock shelf = TRY(hold_boot_shelf(place_));
    const ImageRecord image = TRY(place_.registry.find_image(store_name, name));
    const std::unique_ptr<VolumeStore> store = TRY(place_.open_store(store_name));
    const std::unique_ptr<BlockTarget> target = TRY(store->open(image.volume, Access::read_only));
    const Inspection seen = TRY(inspect_image(*target));
    if (seen.content.boot.kernel_sha256 != image.kernel_sha256 ||
        seen.content.boot.initrd_sha256 != image.initrd_sha256) {
      return fail(ErrorCode::failed, fmt::format("image '{}' gives other boot files than it did", name),
                  fmt::format("domsmith image verify {}", name));
    }
    TRY(boot::BootCache(place_.boot).put(seen.content.boot));
    return {};
  }

  // With starts and stops locked out, so that what the domains say holds until the volume is marked.
  Result<void> mark_volume(const std::string& name, bool in_use) {
    const FileLock alone = TRY(lock_guests(place_, FileLock::Mode::exclusive));
    const GuestRecord guest = TRY(ready_guest(name));
    const bool runs = needs_.toolstack != nullptr && TRY(needs_.toolstack->find(name)).has_value();
    if (runs != in_use) {
      return {};  // it was started or has ended meanwhile
    }
    const std::unique_ptr<VolumeStore> store = TRY(place_.open_store(guest.store));
    return in_use ? store->activate(guest.volume) : store->deactivate(guest.volume);
  }

  Workplace& place_;
  const RepairNeeds& needs_;
  Progress& progress_;
  bool recovered_ = false;
  std::set<std::string> tidied_;
  std::map<std::string, Error> unwritten_;  // configs, by guest
};

}  // namespace

std::vector<RepairOutcome> repair(Workplace& place, const std::vector<Difference>& differences,
                                  const RepairNeeds& needs, Progress& progress) {
  Repairer repairer(place, needs, progress);
  std::vector<std::string> unwritten;
  for (const Difference& difference : differences) {
    if (difference.repair == Repair::write_config) {
      unwritten.push_back(difference.name);
    }
  }
  const Result<void> locked = unwritten.empty() ? Result<void>() : repairer.write_configs(unwritten);
  std::vector<RepairOutcome> outcomes;
  for (const Difference& difference : differences) {
    if (difference.repair == Repair::none) {
      continue;
    }
    const bool config = difference.repair == Repair::write_config;
    const Result<void> done = config && !locked ? locked : repairer.act(difference);
    outcomes.push_back({difference, done ? std::string() : error_sentence(done.error())});
  }
  return outcomes;
}

}  // namespace domsmith
