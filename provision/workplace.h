// Where an operation works: the registry, the journal and the folders of one root. The command line makes one; tests
// make one in a temporary folder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "base/journal.h"
#include "base/result.h"
#include "lvm-snapshots/store.h"
#include "provision/registry/registry.h"

namespace domsmith {

struct Workplace {
  Registry& registry;
  Journal journal;
  std::filesystem::path state;  // locks
  std::filesystem::path boot;   // boot files by content hash
  std::filesystem::path xen;    // domain configs
  // Where an operation keeps what it is working on. Named by the operation alone: whoever holds its journal file may
  // remove the folder, and nobody else.
  [[nodiscard]] std::filesystem::path work_folders() const { return state / "work"; }
  [[nodiscard]] std::filesystem::path work_folder(const Operation& operation) const {
    return work_folders() / operation.id();
  }
  // The store of an operation that another process began.
  std::function<Result<std::unique_ptr<VolumeStore>>(std::string_view spec)> open_store;
};

// Runs `act`, then ends the operation. Where `act` fails before its commit, `undo` takes back what was done; what
// cannot be taken back now, or was committed already, is left in the journal for `domsmith recover`.
template <class Act, class Undo>
auto carry_out(Operation operation, Act&& act, Undo&& undo) -> decltype(act(operation)) {
  auto result = act(operation);
  if (result) {
    TRY(operation.finish());
    return result;
  }
  Error error = std::move(result).error();
  if (operation.committed()) {
    error.remedy = "the rest is done by: domsmith recover";
    return std::unexpected(std::move(error));
  }
  const Result<void> undone = undo(operation);
  if (!undone) {
    error.causes.push_back("taking back what was done failed too: " + undone.error().what);
    error.remedy = "put that right, then run: domsmith recover";
    return std::unexpected(std::move(error));
  }
  if (const Result<void> finished = operation.finish(); !finished) {
    error.causes.push_back(finished.error().what);
  }
  return std::unexpected(std::move(error));
}

inline bool has_step(const Operation& operation, std::string_view name) {
  for (const JournalStep& step : operation.steps()) {
    if (step.name == name) {
      return true;
    }
  }
  return false;
}

// An undo or a finishing step with fail points around it, so that a test can die in a recovery too.
template <class Action>
Result<void> undoing(std::string_view step, Action&& action) {
  TRY(fail_point("undo." + std::string(step) + ".before"));
  TRY(action());
  return fail_point("undo." + std::string(step) + ".after");
}

}  // namespace domsmith
