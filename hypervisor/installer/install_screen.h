// The progress of an installation as a screen: its steps, a bar, the time that is left.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/progress.h"
#include "hypervisor/installer/install.h"
#include "hypervisor/installer/terminal.h"

namespace domsmith {

class InstallScreen final : public Progress {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  InstallScreen(Terminal& terminal, std::vector<InstallStep> steps, Now now = std::chrono::steady_clock::now);
  void event(const ProgressEvent& event) override;

 private:
  [[nodiscard]] std::vector<std::string> body() const;
  [[nodiscard]] std::string bar() const;
  std::mutex mutex_;
  Terminal& terminal_;
  std::vector<InstallStep> steps_;
  Now now_;
  std::chrono::steady_clock::time_point begun_;
  std::size_t done_ = 0;                        // steps
  std::map<std::string, ProgressEvent> parts_;  // stages inside of the step
  std::string said_;
};

// How much of the whole is done after `done` steps, between 0 and 1: steps are of no equal length.
double part_of_installation(const std::vector<InstallStep>& steps, std::size_t done);

}  // namespace domsmith
