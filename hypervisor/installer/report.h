// Tells a URL how an installation goes: [report] of the answer file.
//
//   {"schema": 1, "host": "xen1", "event": "start"}
//   {..., "event": "step", "step": 3, "steps": 9, "name": "volumes"}    before the step is made
//   {..., "event": "end", "receipt": {...}}
//   {..., "event": "failure", "error": "...", "because": ["...", ...], "remedy": "..."}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/progress.h"
#include "base/result.h"

namespace domsmith {

class Report {
 public:
  // `url` empty: nobody is told.
  Report(std::string url, std::string host, Progress& progress);
  void start();
  void step(std::size_t number, std::size_t all, const std::string& name);
  void end(const nlohmann::json& receipt);
  void failure(const Error& error);

 private:
  // Nobody's installation stops because a report does not arrive; who did not answer once is not asked again.
  void tell(const std::string& event, const nlohmann::json& more);
  std::string url_;
  std::string host_;
  Progress& progress_;
};

}  // namespace domsmith
