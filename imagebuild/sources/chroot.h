// Runs our agent (boot/agent/steps.h) inside a tree, in namespaces (namespaces.h) of its own.
#pragma once

#include <vector>

#include "base/result.h"
#include "imagebuild/boot/agent/steps.h"

namespace domsmith::sources {

// To be called in the namespaces: the steps see the tree as their whole file system, have a /proc and a /dev, and when
// the last step ends, so does every process that one of them left behind. Without `network` there is none but a
// loopback.
// The Error is the failed step's, with its last words.
Result<void> run_steps_in_tree(const std::vector<agent::Step>& steps, bool network);

}  // namespace domsmith::sources
