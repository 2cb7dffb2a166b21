// SIGINT and SIGTERM: noted by a handler, looked at between steps, so that an operation can undo itself.
#pragma once

#include "base/result.h"

namespace domsmith {

void catch_interrupts();  // installs the handlers (no SA_RESTART: blocking calls return)
bool interrupted() noexcept;
Result<void> check_interrupted();  // ErrorCode::interrupted once a signal has come

}  // namespace domsmith
