// What is done while guests fill a store: warn, make the pool larger where its group has room, and pause the guests
// before their writes fail. A full thin pool makes writes wait, then fail, and file systems go read-only
// (lvmthin(7), "Data space exhaustion"); a paused guest loses nothing.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/progress.h"
#include "lvm-snapshots/store.h"
#include "provision/registry/registry.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

// Percent of a limit that are used. warn <= grow <= pause.
struct WatchThresholds {
  double warn = 80;
  double grow = 85;
  double pause = 95;
  double resume = 90;  // paused guests go on below it

  // bad_input: not in that order, or not within 0 to 100.
  [[nodiscard]] Result<void> check() const;
};

struct WatchDecision {
  std::vector<std::string> warnings;
  std::uint64_t grow_by = 0;  // bytes
  bool pause = false;
  bool resume = false;
  bool operator==(const WatchDecision&) const = default;
};

// A function of the status alone. Only limits whose size is known count; only data can grow.
WatchDecision decide(const StoreStatus& status, const WatchThresholds& thresholds);

class StoreWatch {
 public:
  // `record`: a file that says which guests this watch has paused, so that another one can let them go on, and nobody's
  // own pause is ended. `toolstack` may be null.
  StoreWatch(VolumeStore& store, Registry& registry, Toolstack* toolstack, std::filesystem::path record)
      : store_(store), registry_(registry), toolstack_(toolstack), record_(std::move(record)) {}

  // One look and what follows from it. The status as it is afterwards. What is done is told as notes and warnings; a
  // warning is told again only when it has changed.
  Result<StoreStatus> look(const WatchThresholds& thresholds, Progress& progress);

 private:
  Result<void> grow(std::uint64_t bytes, Progress& progress);
  Result<void> pause_guests(Progress& progress);
  Result<void> resume_guests(Progress& progress);
  Result<std::set<std::string>> paused() const;
  Result<void> remember(const std::set<std::string>& names) const;

  VolumeStore& store_;
  Registry& registry_;
  Toolstack* toolstack_;
  std::filesystem::path record_;
  std::set<std::string> told_;
};

}  // namespace domsmith
