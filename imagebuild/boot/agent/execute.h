// Programs and scripts of a step, run with a cleared environment and their output on our stderr.
#pragma once

#include <string>
#include <vector>

#include "imagebuild/boot/agent/place.h"

namespace domsmith::agent {

// argv[0] is absolute. The text of a failure is "exit status 3", "killed by signal 9" or why it could not start.
// Without `network` the program has a loopback and nothing else (network_namespaces(7)), which only root can arrange.
Outcome execute(const std::vector<std::string>& argv, const std::string& input, bool network = true);

// The bytes start with "#!". They stand in a private file below /root or / while they run.
Outcome execute_script(const std::string& bytes, bool network = false);

}  // namespace domsmith::agent
