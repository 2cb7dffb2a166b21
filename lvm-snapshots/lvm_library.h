// liblvm2cmd (lvm2cmd.h): LVM's commands inside this process. What they print is caught, nothing reaches the terminal.
//
// The library keeps its state in globals (log function, toolcontext, caches), so there is one handle a process, and one
// command runs at a time.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

// "lvcreate", "-s", …: every word is free of white space and quotes (names are checked, sizes are numbers).
using LvmCommand = std::vector<std::string>;

std::string command_text(const LvmCommand& command);

struct LvmOutcome {
  bool success = false;
  std::string report;               // what a report command printed (JSON)
  std::vector<std::string> errors;  // one line each
  std::vector<std::string> warnings;
};

class LvmLibrary {
 public:
  // The process's handle; it lives as long as somebody holds it.
  static Result<std::shared_ptr<LvmLibrary>> get();
  LvmLibrary(const LvmLibrary&) = delete;
  LvmLibrary& operator=(const LvmLibrary&) = delete;
  ~LvmLibrary();

  // Waits for a command that runs in another thread.
  LvmOutcome run(const LvmCommand& command);

 private:
  explicit LvmLibrary(void* handle) : handle_(handle) {}
  static Result<std::shared_ptr<LvmLibrary>> start();
  std::mutex mutex_;
  void* handle_;
};

// Whether the kernel answers to device-mapper (libdevmapper, DM_VERSION).
bool kernel_has_device_mapper();

}  // namespace domsmith
