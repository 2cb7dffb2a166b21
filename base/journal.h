// The journal: what an operation is about to do, on disk before it does it.
//
// One file an operation, DIR/ID.journal, JSON lines: a header {"id","verb","started","parameters"}, then a line a step
// {"step","arguments"}, {"committed":true} once the operation can only be finished, never undone. Its owner holds
// flock(2) on the file, so a file that can be locked belongs to a dead process. A torn last line (crash while writing)
// was never acted on and is ignored.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/fail_point.h"
#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

struct JournalStep {
  std::string name;
  nlohmann::json arguments;
};

class Operation {
 public:
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& verb() const { return verb_; }
  [[nodiscard]] const nlohmann::json& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<JournalStep>& steps() const { return steps_; }
  [[nodiscard]] bool committed() const { return committed_; }

  // Durable (fdatasync) when it returns.
  Result<void> record(std::string_view step, nlohmann::json arguments = nlohmann::json::object());
  // From here on a recovery finishes the operation.
  Result<void> commit();
  // The operation has ended, either way: removes the file.
  Result<void> finish();

  // Records the step, passes fail point VERB.STEP.before, acts, passes VERB.STEP.after.
  template <class Action>
  auto perform(std::string_view step, nlohmann::json arguments, Action&& action) -> decltype(action()) {
    TRY(record(step, std::move(arguments)));
    TRY(fail_point(verb_ + "." + std::string(step) + ".before"));
    auto result = action();
    if (result) {
      TRY(fail_point(verb_ + "." + std::string(step) + ".after"));
    }
    return result;
  }

 private:
  friend class Journal;
  Operation() = default;
  Result<void> append(const nlohmann::json& line);
  std::filesystem::path path_;
  Fd fd_;
  std::string id_, verb_;
  nlohmann::json parameters_;
  std::vector<JournalStep> steps_;
  bool committed_ = false;
};

class Journal {
 public:
  explicit Journal(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<Operation> begin(std::string_view verb, nlohmann::json parameters) const;
  // The operations of dead processes, oldest first, each locked for this one.
  [[nodiscard]] Result<std::vector<Operation>> abandoned() const;
  // Identifiers of those that live processes hold.
  [[nodiscard]] Result<std::vector<std::string>> running() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace domsmith
