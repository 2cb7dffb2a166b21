#include <fmt/format.h>

#include <map>
#include <mutex>

#include "lvm-snapshots/folder_store.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/memory_store.h"
#include "lvm-snapshots/store.h"
#include "lvm-snapshots/store_spec.h"

namespace domsmith {

namespace {

// An in-memory disk lives as long as its process, as a folder outlives the store that is opened on it.
std::shared_ptr<MemoryDisk> memory_disk(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<MemoryDisk>> disks;
  const std::lock_guard lock(mutex);
  auto& disk = disks[name];
  if (!disk) {
    disk = std::make_shared<MemoryDisk>();
    disk->name = name;
  }
  return disk;
}

}  // namespace

Result<void> VolumeStore::deactivate_all(std::span<const std::string> names) {
  for (const std::string& name : names) {
    if (const auto done = deactivate(name); !done && done.error().code != ErrorCode::not_found) {
      return done;
    }
  }
  return {};
}

Result<void> VolumeStore::settle(std::span<const std::string> names, Settled then, const Fill& fill) {
  for (const std::string& name : names) {
    {
      const std::unique_ptr<BlockTarget> target = TRY(open(name, Access::read_write));
      TRY(fill(name, *target));
      TRY(target->flush());
    }
    if (then == Settled::activated) {
      TRY(activate(name));
    }
  }
  return {};
}

Result<std::uint64_t> VolumeStore::grow(std::uint64_t) {
  return fail(ErrorCode::unsupported, fmt::format("{} cannot be extended by domsmith", name()));
}

Result<StoreSurvey> VolumeStore::survey() { return StoreSurvey{.volumes = TRY(list()), .strays = {}}; }

Result<std::unique_ptr<VolumeStore>> open_store(std::string_view text) {
  const StoreSpec spec = TRY(parse_store_spec(text));
  switch (spec.kind) {
    case StoreKind::folder:
      return std::make_unique<FolderStore>(spec.path);
    case StoreKind::lvm:
      return open_lvm_store(spec.group, spec.pool);
    case StoreKind::memory:
      break;
  }
  return std::make_unique<MemoryStore>(memory_disk(spec.name));
}

}  // namespace domsmith
