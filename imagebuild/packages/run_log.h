// What the engine, apt, dpkg and our agent say on stderr, line by line: the stage the build is in, and why it failed.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "base/progress.h"
#include "base/result.h"

namespace domsmith::packages {

class RunLog {
 public:
  static constexpr std::string_view stage_name = "packages";  // of its progress events
  // Takes a line without its newline; says what has to be shown, if anything.
  std::optional<ProgressEvent> line(std::string_view text);

  // The Error of a run that ended like this: a failed step of ours by its title, a known fault of apt's in a clear
  // sentence, else the engine's own errors.
  [[nodiscard]] Error failure(const ExitStatus& status, const std::string& suite) const;

  // Something did say that it failed.
  [[nodiscard]] bool has_failure() const;

  // The engine's stages in the order they come.
  static const std::vector<std::string_view>& stages();

 private:
  std::optional<ProgressEvent> stage_line(std::string_view text);
  std::optional<ProgressEvent> agent_line(std::string_view text);

  std::deque<std::string> tail_;         // the last lines
  std::vector<std::string> complaints_;  // E: and W: lines
  std::deque<std::string> step_output_;  // of the step that runs
  std::string step_title_;
  std::string step_failure_;  // "exit status 3"; empty: none
  std::size_t stages_done_ = 0;
};

}  // namespace domsmith::packages
