#include "provision/guests/resize.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "provision/guests/filesystem_size.h"
#include "provision/guests/guest_lock.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

constexpr std::uint64_t mib = 1U << 20;

std::filesystem::path undo_file(const Workplace& place, const Operation& operation) {
  return place.work_folder(operation) / "resize.e2undo";
}

// A volume's device for programs that open it by name; open for reading only, it is in use and active meanwhile.
class Held {
 public:
  static Result<Held> open(VolumeStore& store, const VolumeInfo& volume) {
    Held held;
    held.target_ = TRY(store.open(volume.name, Access::read_only));
    std::error_code error;
    if (!std::filesystem::exists(volume.device, error)) {
      return fail(ErrorCode::unsupported,
                  fmt::format("volume '{}' has no device that resize2fs could open", volume.name));
    }
    held.device_ = volume.device;
    return held;
  }
  [[nodiscard]] const std::string& device() const { return device_; }

 private:
  std::unique_ptr<BlockTarget> target_;
  std::string device_;
};

Result<void> check_fits(VolumeStore& store, const VolumeInfo& volume, std::uint64_t size) {
  if (size >= volume.size) {
    return {};
  }
  const Held held = TRY(Held::open(store, volume));
  const std::uint64_t least = TRY(least_filesystem_size(held.device()));
  if (least <= size) {
    return {};
  }
  return fail(
      ErrorCode::no_space,
      fmt::format("the files of '{}' need {}, and it would be {} long", volume.name, size_text(least), size_text(size)),
      "choose a larger size, or remove files in the guest");
}

Result<void> resize_inside(Workplace& place, VolumeStore& store, const Operation& operation, const VolumeInfo& volume,
                           std::uint64_t size) {
  const Held held = TRY(Held::open(store, volume));
  const std::filesystem::path undo = undo_file(place, operation);
  TRY(make_directories(undo.parent_path(), 0700));
  // What an earlier try left goes back first; then there is only one way from here.
  TRY(undo_resize(held.device(), undo));
  TRY(remove_file(undo));
  TRY(fail_point("resize.filesystem.before"));
  TRY(resize_filesystem(held.device(), size, undo));
  TRY(fail_point("resize.filesystem.after"));
  return remove_file(undo);
}

Result<void> remove_work(const Workplace& place, const Operation& operation) {
  const std::filesystem::path folder = undo_file(place, operation).parent_path();
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return error ? fail_errno(fmt::format("cannot remove {}", folder.string()), error.value()) : Result<void>();
}

// Both ways can be repeated: a size that is reached already is reached again.
Result<void> finish(Workplace& place, VolumeStore& store, const Operation& operation, const GuestRecord& guest) {
  const auto size = operation.parameters().value("size", std::uint64_t{0});
  const bool grows = operation.parameters().value("grows", true);
  const std::array names{guest.volume};
  TRY(store.deactivate_all(names));
  if (grows) {
    TRY(undoing("resize-volume", [&] { return store.resize(guest.volume, size); }));
  }
  const VolumeInfo volume = TRY(store.find(guest.volume));
  TRY(undoing("resize-filesystem", [&] { return resize_inside(place, store, operation, volume, size); }));
  if (!grows) {
    TRY(undoing("resize-volume", [&] { return store.resize(guest.volume, size); }));
  }
  TRY(undoing("work", [&] { return remove_work(place, operation); }));
  return undoing("ready", [&]() -> Result<void> {
    TRY(place.registry.set_state(std::array{guest.name}, GuestState::ready, ""));
    return {};
  });
}

Result<void> mark(Workplace& place, Operation& operation, const GuestRecord& guest, const RunningNames& running) {
  const FileLock alone = TRY(lock_guests(place, FileLock::Mode::exclusive));
  TRY(check_stopped(std::span(&guest, 1), running));
  TRY(operation.perform("mark", nlohmann::json::object(), [&] {
    return place.registry.set_state(std::array{guest.name}, GuestState::resetting, operation.id());
  }));
  return operation.commit();
}

Result<void> undo(Workplace& place, const Operation& operation) {
  for (const GuestRecord& guest : TRY(place.registry.rows_of_operation(operation.id())).guests) {
    TRY(undoing("resize-mark",
                [&] { return place.registry.set_state(std::array{guest.name}, GuestState::ready, ""); }));
  }
  return {};
}

}  // namespace

Result<ResizePlan> plan_resize(VolumeStore& store, const GuestRecord& guest, std::uint64_t size) {
  if (size == 0 || size % mib != 0) {
    return fail(ErrorCode::bad_input, fmt::format("a size of {} bytes is not whole MiB", size), "write it like 4GiB");
  }
  ResizePlan plan{.guest = guest, .volume = TRY(store.find(guest.volume)), .size = size, .commands = {}};
  if (plan.volume.size == size) {
    return fail(ErrorCode::bad_input, fmt::format("guest '{}' is {} long already", guest.name, size_text(size)));
  }
  plan.commands = plan_filesystem_size(plan.volume.device, size);
  const std::vector<std::string> volume = store.plan_resize(guest.volume, size);
  plan.commands.insert(size > plan.volume.size ? plan.commands.begin() : plan.commands.end(), volume.begin(),
                       volume.end());
  return plan;
}

std::string plan_text(const ResizePlan& plan) {
  std::string text =
      fmt::format("guest {}: from {} to {}\n", plan.guest.name, size_text(plan.volume.size), size_text(plan.size));
  for (const std::string& command : plan.commands) {
    text += fmt::format("  run: {}\n", command);
  }
  return text;
}

nlohmann::json plan_json(const ResizePlan& plan) {
  return {{"verb", "guest resize"},   {"guest", plan.guest.name}, {"store", plan.guest.store},
          {"from", plan.volume.size}, {"to", plan.size},          {"commands", plan.commands}};
}

Result<void> resize_guest(Workplace& place, const GuestRecord& guest, std::uint64_t size, const RunningNames& running,
                          Progress& progress) {
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(guest.store));
  store->report_to(progress);
  const ResizePlan plan = TRY(plan_resize(*store, guest, size));
  TRY(settle_guests(place, std::span(&guest, 1), VolumeStore::Settled::put_away, progress));  // else it has no device
  TRY(check_fits(*store, plan.volume, size));
  Operation operation =
      TRY(place.journal.begin("resize", {{"store", guest.store}, {"size", size}, {"grows", size > plan.volume.size}}));
  return carry_out(
      std::move(operation),
      [&](Operation& begun) -> Result<void> {
        TRY(mark(place, begun, guest, running));
        return finish(place, *store, begun, guest);
      },
      [&](Operation& begun) { return undo(place, begun); });
}

Result<void> recover_resize(Workplace& place, Operation& operation, Progress& progress) {
  if (!operation.committed()) {
    return undo(place, operation);
  }
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(operation.parameters().value("store", "")));
  store->report_to(progress);
  for (const GuestRecord& guest : TRY(place.registry.rows_of_operation(operation.id())).guests) {
    TRY(finish(place, *store, operation, guest));
  }
  return remove_work(place, operation);
}

}  // namespace domsmith
