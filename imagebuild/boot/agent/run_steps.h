// Carries out the steps of a recipe, one after the other.
#pragma once

#include <string>
#include <vector>

#include "imagebuild/boot/agent/place.h"
#include "imagebuild/boot/agent/steps.h"

namespace domsmith::agent {

// Runs the steps in order and stops at the first that fails, saying so on stderr (steps.h: marker). ROOT is "" in the
// chroot; a test may give a folder, below which all but exec and script work.
bool run_steps(const std::string& root, const std::vector<Step>& steps);

}  // namespace domsmith::agent
