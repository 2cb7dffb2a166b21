// Carries out an InstallPlan, step by step, each journalled before it is made; ends with a receipt.
//
// The order is such that a machine whose power goes away in the middle either starts what was on its disks before, or
// nothing, or the whole new host: boot code is written when all that it starts is there. The disks bear a GUID by which
// a second try knows them.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/progress.h"
#include "base/result.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/install_plan.h"
#include "hypervisor/installer/report.h"

namespace domsmith {

struct InstallSources {
  std::filesystem::path medium = "/media";   // as iso/build_iso.h lays it out
  std::filesystem::path target = "/target";  // an empty folder to mount the host's state at
  std::filesystem::path work = "/run/domsmith-install";
};

struct InstallRequest {
  Answer answer;
  InstallPlan plan;
  std::vector<std::string> cards;  // MACs
};

struct InstallStep {
  std::string name;
  unsigned usual = 0;  // seconds in QEMU with one image of 370 MiB; on another machine all are shorter
};
// In their order; the stage "install" of the progress counts them.
std::vector<InstallStep> install_steps();

// The receipt, which is on the host too: /var/lib/domsmith/receipt.json.
Result<nlohmann::json> install(const InstallRequest& request, const InstallSources& sources, RandomSource& random,
                               Report& report, Progress& progress);

}  // namespace domsmith
