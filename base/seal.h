// seccomp(2) for a process that only works on what it has: see worker.h.
#pragma once

#include "base/result.h"

namespace domsmith {

// From here on the process may read and write its descriptors, ask for memory and end. Opening and looking for files
// fails with EACCES; any other system call kills it. There is no way back.
Result<void> seal_process();

}  // namespace domsmith
