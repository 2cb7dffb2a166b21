// A function that runs in a process of its own and writes what it found to a pipe.
//
// A sealed worker is for reading bytes that come from outside: seccomp(2) leaves it its memory, the descriptors it was
// given and nothing else. It cannot open a file, start a program or reach a network, whatever it was made to run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

struct WorkerOptions {
  std::vector<int> keep;                 // descriptors that stay open besides the pipe; all others are closed
  bool sealed = true;                    // false: an ordinary process
  std::uint64_t memory = 1536ULL << 20;  // bytes that a sealed one may have beyond what it was born with
  unsigned cpu_seconds = 3600;           // of a sealed one
};

class Worker {
 public:
  // The function runs behind fork(2): it may read all memory, and must not use what another thread may hold locked
  // (progress, the log). What it writes to `out` comes out of out() here.
  using Work = std::function<Result<void>(int out)>;
  static Result<Worker> start(const WorkerOptions& options, const Work& work);

  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;
  ~Worker();  // SIGKILL, if it still runs; always reaped

  [[nodiscard]] int out() const { return out_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Closes the pipe and waits. The function's own Error; failed where the process was killed, by its limits or by us.
  Result<void> finish();
  // Ends it without a word.
  void kill();

 private:
  Worker(pid_t pid, Fd out, Fd verdict, bool sealed);
  pid_t pid_ = -1;
  Fd out_;
  Fd verdict_;
  bool sealed_ = false;
};

}  // namespace domsmith
