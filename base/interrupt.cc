#include "base/interrupt.h"

#include <atomic>
#include <csignal>

namespace domsmith {

namespace {
std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free);  // what a signal handler may touch

void note_signal(int number) { caught.store(number); }
}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): it cannot fail for a known signal
}

bool interrupted() noexcept { return caught.load() != 0; }

Result<void> check_interrupted() {
  if (interrupted()) {
    return fail(ErrorCode::interrupted, caught.load() == SIGTERM ? "stopped by SIGTERM" : "stopped by Ctrl-C",
                "what was begun has been undone; run the command again");
  }
  return {};
}

}  // namespace domsmith
