// What a package build will do, as a value: nothing here touches the machine or the network.
//
// The engine (imagebuild/engine) asks apt which packages that means, and makes the tree. Users, files, services and
// scripts are put in by our agent (boot/agent/steps.h), which runs inside the tree; whatever a recipe says travels to
// it in a file of steps.
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

// Steps, and when they run: "extract": the essential packages are unpacked; "essential": they are configured, and no
// others are there; "customize": all packages are there.
struct HookSteps {
  std::string hook;
  std::vector<agent::Step> steps;
};

struct PackagePlan {
  enum class Mode { root, unshare };
  Mode mode = Mode::root;
  std::string suite;
  std::string architecture;
  std::vector<std::string> architectures;  // that one first, then what NAME:ARCH asks for beside it
  std::vector<AptSource> sources;
  std::vector<RecipeRepository> repositories;  // beside the sources
  std::vector<RecipePin> pins;
  std::vector<std::string> packages;  // to install beside the essential and required ones
  bool recommends = false;
  std::vector<HookSteps> hooks;
  std::vector<std::string> environment;  // of apt: proxies, "NAME=value"
};

Result<PackagePlan> plan_packages(const Recipe& recipe, const HostFacts& host);

std::string plan_text(const PackagePlan& plan);
nlohmann::json plan_json(const PackagePlan& plan);

}  // namespace domsmith::packages
