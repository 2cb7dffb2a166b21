// What the processes of one guest agree by, as files below RUN/guests/:
//
//   NAME.lock     held (flock) by whoever creates or destroys the domain: a caller of the toolstack, or the guest's
//   monitor NAME.stop     held, shared, by whoever wants the guest to end and stay ended: the monitor then restarts
//   nothing NAME.monitor  held by the guest's monitor for all its life; its pid stands in the file
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace domsmith {

class GuestLocks {
 public:
  GuestLocks(const std::filesystem::path& run_directory, std::string_view name);

  [[nodiscard]] Result<FileLock> lock() const;
  [[nodiscard]] Result<FileLock> want_stop() const;
  [[nodiscard]] Result<bool> stop_is_wanted() const;

  // For the monitor: waits for the guest's former one to end, then writes this process's pid.
  [[nodiscard]] Result<FileLock> become_monitor() const;
  [[nodiscard]] Result<bool> monitor_lives() const;
  // busy: it still runs after `timeout`.
  [[nodiscard]] Result<void> wait_for_monitor(std::chrono::milliseconds timeout) const;

 private:
  [[nodiscard]] Result<void> make_directory() const;
  [[nodiscard]] std::filesystem::path file(std::string_view kind) const;
  std::filesystem::path directory_;
  std::string name_;
};

}  // namespace domsmith
