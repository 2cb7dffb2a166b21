#include "imagebuild/boot/agent/run_steps.h"

#include <unistd.h>

#include <cstdio>

#include "imagebuild/boot/agent/execute.h"
#include "imagebuild/boot/agent/settings.h"

namespace domsmith::agent {
namespace {

// One write(2) a line, so that it cannot be torn by what a script's children still write.
void say(const std::string& text) {
  std::string line = std::string(marker) + text + "\n";
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

Outcome one_argument(const Step& step, Outcome (*action)(const std::string&, const std::string&),
                     const std::string& root) {
  if (step.argv.size() != 1) {
    return std::unexpected("the step needs one argument");
  }
  return action(root, step.argv[0]);
}

Outcome run_step(const std::string& root, const Step& step) {
  switch (step.kind) {
    case StepKind::exec:
      return execute(step.argv, step.input);
    case StepKind::script:
      return execute_script(step.input, step.network);
    case StepKind::file:
      return place_file(root, step);
    case StepKind::directory:
      return place_directory(root, step);
    case StepKind::symlink:
      return place_symlink(root, step);
    case StepKind::remove:
      return remove_paths(root, step.argv);
    case StepKind::timezone:
      return one_argument(step, set_timezone, root);
    case StepKind::locale:
      return one_argument(step, enable_locale, root);
    case StepKind::new_directory:
      return place_new_directory(root, step);
    case StepKind::host_files:
      return put_away_host_files(root);
  }
  return std::unexpected("an unknown kind of step");
}

}  // namespace

bool run_steps(const std::string& root, const std::vector<Step>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    say("begin " + std::to_string(i + 1) + " " + std::to_string(steps.size()) + " " + steps[i].title);
    if (auto outcome = run_step(root, steps[i]); !outcome) {
      say("failed " + std::to_string(i + 1) + " " + outcome.error());
      return false;
    }
  }
  return true;
}

}  // namespace domsmith::agent
