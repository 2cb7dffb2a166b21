// A fail point's other end: see base/fail_point.h.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"

namespace domsmith {

// For a simulation, which dies in one process a thousand times: called at each pass, before the environment is asked.
// Its Error is the point's; it may throw, which stands for the process's death: nothing of ours catches it, and what a
// process loses when it ends (locks, open files) ends with the stack. Empty: none. Set while nothing else runs.
void set_fail_hook(std::function<Result<void>(std::string_view name)> hook);

}  // namespace domsmith
