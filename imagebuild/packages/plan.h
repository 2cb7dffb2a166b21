// What a package build will do, as a value: nothing here touches the machine or the network.
//
// mmdebstrap(1) makes the tree and writes it to its stdout as a tar. Users, files, services and scripts are put in by
// our agent (boot/agent/steps.h), which mmdebstrap's special hook `upload` brings into the chroot. The shell text of
// the hooks is constant; whatever a recipe says travels in the step files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "imagebuild/boot/agent/steps.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

// A step file and the hook of mmdebstrap that runs it.
struct HookSteps {
  std::string hook;  // "extract", "essential", "customize"
  std::string file;  // its name in the work folder
  std::vector<agent::Step> steps;
};

struct PackagePlan {
  enum class Mode { root, unshare };
  Mode mode = Mode::root;
  std::string suite;
  std::string architecture;
  std::vector<AptSource> sources;
  std::vector<std::string> packages;  // to install beside the essential ones
  std::vector<HookSteps> hooks;
  // Runs in a work folder that holds the agent and the step files, which its hooks name by relative paths.
  Command command;
};

Result<PackagePlan> plan_packages(const Recipe& recipe, const HostFacts& host);

std::string plan_text(const PackagePlan& plan);
nlohmann::json plan_json(const PackagePlan& plan);

}  // namespace domsmith::packages
