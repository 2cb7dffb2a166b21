// Time, through an interface, so that tests and reproducible builds can stop it.
#pragma once

#include <chrono>
#include <string>

namespace domsmith {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::chrono::sys_seconds now() const = 0;
};
const Clock& system_clock();
std::string utc_text(std::chrono::sys_seconds time);  // 2026-01-31T08:15:00Z

}  // namespace domsmith
