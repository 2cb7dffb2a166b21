// pipe2(2)
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

struct Pipe {
  Fd read_end, write_end;
};

// Both ends close on exec.
Result<Pipe> make_pipe();

}  // namespace domsmith
