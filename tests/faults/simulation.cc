#include "simulation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "base/error_sentence.h"
#include "base/error_text.h"
#include "base/fail_hook.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/audit/audit.h"
#include "provision/audit/garbage.h"
#include "provision/audit/repair.h"
#include "provision/guests/clone.h"
#include "provision/guests/ephemeral.h"
#include "provision/guests/promote.h"
#include "provision/guests/rebase.h"
#include "provision/guests/run_guest.h"
#include "provision/images/make_image.h"
#include "provision/recovery/recover.h"
#include "small_image.h"

namespace domsmith {

namespace {

constexpr std::uint64_t image_size = 4U << 20;

DomainTemplate small_template() {
  DomainTemplate domain;
  domain.name = "small";
  domain.memory = domain.maxmem = 64U << 20;
  domain.vcpus = 1;
  domain.vifs.resize(1);
  return domain;
}

TemporaryDirectory simulation_directory() {
  if (std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK) == 0) {
    ::setenv("TMPDIR", "/dev/shm", 1);
  }
  return *TemporaryDirectory::make("domsmith-simulation-");
}

// Made once: a file system takes longer than all else here. Blocks of 1 KiB, for most of what a verb computes is
// checksums of blocks.
struct Template {
  std::unique_ptr<BlockTarget> bytes = memory_target(image_size);
  Populated populated;
};
Result<Template> make_template() {
  const TemporaryDirectory directory = simulation_directory();
  const std::string file = directory.path() / "image";
  TRY(run({.argv = {TRY(find_program("mke2fs")), "-q", "-t", "ext4", "-b", "1024", "-L", "root", file,
                    fmt::format("{}K", image_size >> 10)},
           .environment = {},
           .working_directory = {}}));
  Template made;
  TRY(copy_sparse(*TRY(open_block_target(file, Access::read_only)), *made.bytes, {0, image_size}));
  made.populated = TRY(fill_small(TRY(extfs::FileSystem::open(*made.bytes, Access::read_write))));
  return made;
}
Result<const Template*> image_template() {
  static const Result<Template> made = make_template();
  if (!made) {
    return std::unexpected(made.error());
  }
  return &*made;
}

std::string store_name(std::uint64_t seed) {
  static int count = 0;
  return fmt::format("memory:simulation-{}-{}", seed, ++count);
}

}  // namespace

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      directory_(simulation_directory()),
      store_(store_name(seed)),
      registry_(*Registry::none()),
      place_{.registry = registry_,
             .journal = Journal(directory_.path() / "journal"),
             .state = directory_.path(),
             .boot = directory_.path() / "boot",
             .xen = directory_.path() / "xen",
             .open_store = [](std::string_view spec) { return open_store(spec); }} {}

// A disk in memory stays as long as the process: thousands of seeds would be gigabytes.
Simulation::~Simulation() {
  set_fail_hook({});
  const auto store = open_store(store_);
  const auto volumes = store ? (*store)->list() : Result<std::vector<VolumeInfo>>();
  if (store && volumes) {
    std::vector<std::string> names;
    std::ranges::transform(*volumes, std::back_inserter(names), &VolumeInfo::name);
    (void)(*store)->remove(names);
  }
}

template <class Container>
std::string Simulation::any_name(const Container& names) {
  auto it = names.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(below(names.size())));
  if constexpr (requires { it->first; }) {
    return it->first;
  } else {
    return *it;
  }
}

std::vector<std::string> Simulation::some_guests() {
  std::set<std::string> names;
  for (std::uint64_t i = 1 + below(3); i > 0; --i) {
    names.insert(any_name(model_.guests));
  }
  return {names.begin(), names.end()};
}

Simulation::Verb Simulation::build() {
  const std::string name = fmt::format("image-{}", ++next_name_);
  return {.what = "build " + name,
          .act = [this, name]() -> Result<void> {
            const auto store = TRY(open_store(store_));
            ImageRecord record;
            record.name = name;
            record.version = "1";
            record.size = image_size;
            record.created = system_clock().now();
            TRY(make_image(
                place_, *store, "build", record,
                [](BlockTarget& target, const std::filesystem::path&) -> Result<Populated> {
                  const Template* made = TRY(image_template());
                  TRY(copy_sparse(*made->bytes, target, {0, image_size}));
                  return made->populated;
                },
                silent_));
            return {};
          },
          .changes = [name](Model& model) { model.images.insert(name); }};
}

Simulation::Verb Simulation::clone() {
  const std::string image = any_name(model_.images);
  CloneRequest request;
  request.name = fmt::format("g{}", ++next_name_);
  request.count = static_cast<std::uint32_t>(1 + below(5));
  request.ephemeral = below(4) == 0;
  request.full = below(4) == 0;
  request.bridge = "xenbr0";
  return {.what = fmt::format("clone {} --name {} --count {}{}{}", image, request.name, request.count,
                              request.ephemeral ? " --ephemeral" : "", request.full ? " --full" : ""),
          .act = [this, image, request]() -> Result<void> {
            const auto store = TRY(open_store(store_));
            const ImageRecord record = TRY(known_image(place_, *store, image, silent_));
            const ClonePlan plan = TRY(plan_clone(place_, *store, record, small_template(), request));
            TRY(clone_guests(place_, *store, plan, silent_));
            return {};
          },
          .changes =
              [image, request](Model& model) {
                const auto names = guest_names(request.name, request.count, 1);
                for (const std::string& name : *names) {
                  model.guests[name] = {.image = image, .ephemeral = request.ephemeral, .full = request.full};
                }
              }};
}

Simulation::Verb Simulation::promote() {
  const std::string guest = any_name(model_.guests);
  const std::string image = fmt::format("image-{}", ++next_name_);
  return {.what = fmt::format("guest promote {} {}", guest, image),
          .act = [this, guest, image]() -> Result<void> {
            const auto store = TRY(open_store(store_));
            const PromotePlan plan = TRY(plan_promote(place_, *store, TRY(registry_.find_guest(guest)), image, ""));
            TRY(promote_guest(place_, *store, plan, TRY(running_names(&toolstack_)), silent_));
            return {};
          },
          .changes = [image](Model& model) { model.images.insert(image); }};
}

Simulation::Verb Simulation::rebase() {
  const std::vector<std::string> names = some_guests();
  const RebaseRequest request{.image = any_name(model_.images), .force = below(2) == 0};
  return {.what = fmt::format("guest rebase {} --image {}{}", join(names, " "), request.image,
                              request.force ? " --force" : ""),
          .act = [this, names, request]() -> Result<void> {
            return rebase_guests(place_, TRY(select_guests(registry_, names)), request, TRY(running_names(&toolstack_)),
                                 silent_);
          },
          .changes =
              [names, request](Model& model) {
                for (const std::string& name : names) {
                  model.guests[name].image = request.image;
                }
              }};
}

Simulation::Verb Simulation::on_some(const std::string& word, bool removes) {
  const std::vector<std::string> names = some_guests();
  return {.what = fmt::format("guest {} {}", word, join(names, " ")),
          .act = [this, names, removes]() -> Result<void> {
            const auto guests = TRY(select_guests(registry_, names));
            const RunningNames running = TRY(running_names(&toolstack_));
            return removes ? remove_guests(place_, guests, running, silent_)
                           : reset_guests(place_, guests, running, silent_);
          },
          .changes =
              [names, removes](Model& model) {
                for (const std::string& name : names) {
                  if (removes) {
                    model.guests.erase(name);
                  }
                }
              }};
}

Simulation::Verb Simulation::start_or_stop() {
  const std::vector<std::string> names = some_guests();
  const bool start = below(3) != 0;
  return {.what = fmt::format("guest {} {}", start ? "start" : "stop", join(names, " ")),
          .act = [this, names, start]() -> Result<void> {
            const auto guests = TRY(select_guests(registry_, names));
            if (!start) {
              return stop_guests(place_, toolstack_, guests, {.patience = std::chrono::milliseconds(1), .force = true});
            }
            TRY(refresh_ephemeral(place_, toolstack_, guests, silent_));
            for (const GuestRecord& guest : guests) {
              TRY(start_guest(place_, toolstack_, guest.name, silent_));
            }
            return {};
          },
          .changes = [](Model&) {}};
}

Simulation::Verb Simulation::remove_image() {
  const std::string image = any_name(model_.images);
  return {.what = "image remove " + image,
          .act = [this, image]() -> Result<void> {
            return domsmith::remove_image(place_, *TRY(open_store(store_)), image);
          },
          .changes = [image](Model& model) { model.images.erase(image); }};
}

// What a guest does while it runs, done while it does not.
Simulation::Verb Simulation::write_into() {
  const std::string guest = any_name(model_.guests);
  return {.what = "write into " + guest,
          .act = [this, guest]() -> Result<void> {
            const auto target = TRY(TRY(open_store(store_))->open(guest, Access::read_write));
            extfs::FileSystem fs = TRY(extfs::FileSystem::open(*target, Access::read_write));
            TRY(fs.write_file("/root/written", guest));
            return fs.close();
          },
          .changes = [](Model&) {}};
}

Simulation::Verb Simulation::litter_and_collect() {
  const std::string stray = fmt::format("stray-{}", ++next_name_);
  const std::string image = any_name(model_.images);
  return {.what = "gc of " + stray,
          .act = [this, stray, image]() -> Result<void> {
            TRY(TRY(open_store(store_))->clone(image, std::span(&stray, 1)));
            return collect_garbage(place_, TRY(find_garbage(place_, {store_}, &toolstack_)), silent_);
          },
          .changes = [](Model&) {}};
}

Simulation::Verb Simulation::choose() {
  if (model_.images.empty()) {
    return build();
  }
  if (model_.guests.empty()) {
    return below(4) == 0 ? build() : clone();
  }
  switch (below(16)) {
    case 0:
      return build();
    case 1:
      return promote();
    case 2:
    case 3:
      return rebase();
    case 4:
    case 5:
      return on_some("reset", false);
    case 6:
    case 7:
      return on_some("remove", true);
    case 8:
      return remove_image();
    case 9:
      return litter_and_collect();
    case 10:
      return write_into();
    case 11:
    case 12:
    case 13:
      return start_or_stop();
    default:
      return clone();
  }
}

bool Simulation::run(const Verb& verb, Result<void>& result) {
  // Most verbs pass a few dozen points: half of them live.
  std::uint64_t left = below(2) == 0 ? below(40) : UINT64_MAX;
  std::string where;
  set_fail_hook([&](std::string_view name) -> Result<void> {
    if (left-- == 0) {
      where = name;
      throw Death();
    }
    return {};
  });
  bool died = false;
  try {
    result = verb.act();
  } catch (const Death&) {
    died = true;
  }
  set_fail_hook({});
  story_.push_back(verb.what + (died     ? fmt::format("   # died at {}", where)
                                : result ? ""
                                         : "   # refused: " + error_sentence(result.error())));
  return died;
}

Model Simulation::observed(const OperationRows& rows) {
  Model seen;
  for (const ImageRecord& image : rows.images) {
    seen.images.insert(image.state == ImageState::ready ? image.name : image.name + " is not ready");
  }
  for (const GuestRecord& guest : rows.guests) {
    seen.guests[guest.state == GuestState::ready ? guest.name : guest.name + " is not ready"] = {
        .image = guest.image, .ephemeral = guest.ephemeral, .full = guest.full};
  }
  return seen;
}

Result<void> Simulation::check_volumes() {
  std::set<std::string> wanted = model_.images;
  for (const auto& [name, guest] : model_.guests) {
    wanted.insert(name);
  }
  for (const VolumeInfo& volume : TRY(TRY(open_store(store_))->list())) {
    const bool known = wanted.erase(volume.name) == 1;
    if (!known || volume.kind == VolumeKind::staging ||
        (volume.kind == VolumeKind::golden) != model_.images.contains(volume.name)) {
      return fail(ErrorCode::failed, fmt::format("the store has a volume '{}' that it should not have", volume.name));
    }
  }
  return wanted.empty() ? Result<void>()
                        : fail(ErrorCode::failed, fmt::format("the store has no volume '{}'", *wanted.begin()));
}

// Of every guest: each step may have been the one that gave somebody another's.
Result<void> Simulation::check_identities(const std::vector<GuestRecord>& guests) {
  const auto store = TRY(open_store(store_));
  for (const GuestRecord& guest : guests) {
    auto opened = store->open(guest.volume, Access::read_only);
    if (!opened && toolstack_.find(guest.name)->has_value()) {
      continue;  // a running guest's
    }
    const std::unique_ptr<BlockTarget> target = TRY(std::move(opened));
    extfs::FileSystem fs = TRY(extfs::FileSystem::open(*target, Access::read_only));
    if (trimmed(TRY(fs.read_file("/etc/hostname", 100))) != guest.name ||
        trimmed(TRY(fs.read_file("/etc/machine-id", 100))) != guest.identity.machine_id) {
      return fail(ErrorCode::failed, fmt::format("guest '{}' has not its own identity", guest.name));
    }
  }
  return {};
}

// Only a start or stop may leave something that a recovery does not see: a volume that is in use by nobody.
Result<void> Simulation::check_audit(bool may_fix) {
  Audit found = TRY(audit(place_, {store_}, &toolstack_));
  if (may_fix) {
    std::vector<Difference> marks;
    std::ranges::copy_if(found.differences, std::back_inserter(marks), [](const Difference& each) {
      return each.repair == Repair::deactivate || each.kind == "volume-unowned";
    });
    RepairNeeds needs;
    needs.toolstack = &toolstack_;
    (void)repair(place_, marks, needs, silent_);
    TRY(collect_garbage(place_, TRY(find_garbage(place_, {store_}, &toolstack_)), silent_));
    found = TRY(audit(place_, {store_}, &toolstack_));
  }
  if (found.differences.empty()) {
    return {};
  }
  return fail(ErrorCode::failed,
              fmt::format("audit: {}: {}", found.differences.front().subject, found.differences.front().text));
}

std::string Simulation::step() {
  const Verb verb = choose();
  Model after = model_;
  verb.changes(after);
  Result<void> result;
  const bool died = run(verb, result);
  const auto checked = [&]() -> Result<void> {
    if (died) {
      TRY(recover(place_, silent_));
    }
    if (const std::size_t again = TRY(recover(place_, silent_)).size(); again != 0) {
      return fail(ErrorCode::failed, "a second recovery found something to do");
    }
    const OperationRows rows{.images = TRY(registry_.list_images()), .guests = TRY(registry_.list_guests())};
    const Model seen = observed(rows);
    const bool done = seen == after && (died || result);
    if (!done && (seen != model_ || (!died && result))) {
      return fail(ErrorCode::failed, "the registry is neither as before nor as after");
    }
    model_ = seen;
    TRY(check_audit(died));
    TRY(check_volumes());
    return check_identities(rows.guests);
  }();
  return checked ? std::string() : error_text(checked.error());
}

}  // namespace domsmith
