// `domsmith gc`: what nobody owns, found as a value and taken away.
//
// Only what bears domsmith's marks is touched: volumes of its stores that are no golden image, configs with its first
// line, boot files that are named by their hash, its own work folders. What is in use stays. One registry has the
// stores that it names: clones that another host or another --root made in the same store would be taken for nobody's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/audit/world.h"

namespace domsmith {

struct GarbageVolumes {
  std::string store;
  std::vector<std::string> names;
  std::vector<std::string> commands;  // that the store would run
  bool operator==(const GarbageVolumes&) const = default;
};

struct Garbage {
  std::vector<std::string> operations;  // that hold rows and that the journal does not know
  std::vector<GarbageVolumes> volumes;
  std::vector<std::string> half_done;            // stores whose verbs were cut off: they recover()
  std::vector<std::string> configs;              // names of guests that are not there
  std::vector<std::filesystem::path> half_made;  // configs that were never put in place
  std::vector<std::string> boot_files;
  std::vector<std::string> work;  // folders below STATE/work
  std::vector<std::string> kept;  // sentences: what nobody owns and stays, and why

  [[nodiscard]] bool empty() const;
  bool operator==(const Garbage&) const = default;
};

// Without the stores' commands. failed: the registry knows nothing at all, so that everything would be garbage.
Result<Garbage> find_garbage(const World& world);
// The same of this host, with the commands. What is found is looked at twice.
Result<Garbage> find_garbage(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack);

std::string plan_text(const Garbage& garbage);
nlohmann::json plan_json(const Garbage& garbage);

// Fail points gc.PART.before and .after. Each part can be repeated; what a crash leaves is garbage still.
Result<void> collect_garbage(Workplace& place, const Garbage& garbage, Progress& progress);

}  // namespace domsmith
