// Guests at the start and the end of a host.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"

namespace domsmith {

struct HostPlaces {
  std::filesystem::path program;                                       // domsmith itself
  std::filesystem::path first_boot = "/etc/domsmith/first-boot.json";  // written by the installer
  std::filesystem::path keys = "/etc/ssh/authorized_keys";  // who may log in to the host may log in to its guests
  std::filesystem::path autostart = "/etc/xen/auto";
};

// The guests that have a config in the folder, sorted.
std::vector<std::string> autostart_names(const std::filesystem::path& folder);

// Of what `guest list --json` prints, the names of guests that have a domain now. failed: it does not say, as where Xen
// cannot be asked; that is not to have none.
Result<std::vector<std::string>> running_names(const nlohmann::json& document);

// The same, of the host that `program` (domsmith) runs on.
Result<std::vector<std::string>> running_guests(const std::filesystem::path& program);

// At the first start: clones the guests of the answer file, and starts them all. At every start: starts those of the
// autostart folder, in the order of their names. A guest that does not start does not keep the others from it, and is
// tried once more behind them: a host is at its busiest while it starts, and Xen's device scripts have 40 s. An Error
// in the end names all that did not.
Result<void> start_host_guests(const HostPlaces& places, Progress& progress);
// Asks all that run to power off, and takes away what does not.
Result<void> stop_host_guests(const HostPlaces& places, Progress& progress);

}  // namespace domsmith
