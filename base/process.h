// External programs: an argv, never a shell; a cleared environment; absolute program paths.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

struct Command {
  std::vector<std::string> argv;  // argv[0] is an absolute path (find_program)
  // "NAME=value". Besides these the child gets PATH (/usr/sbin:/usr/bin:/sbin:/bin), LC_ALL=C.UTF-8 and HOME=/ only.
  std::vector<std::string> environment;
  std::string working_directory;  // empty: the caller's
  // The program leads a process group of its own: Child::terminate() reaches its children too, and a Ctrl-C at the
  // terminal reaches none of them.
  bool process_group = false;

  // The command as a person could type it (shell-quoted), for plans and error texts.
  [[nodiscard]] std::string display() const;
};

// The absolute path of a program in /usr/local/sbin:…:/bin, or not_found with the Debian package as the remedy where it
// is known (e.g. "install it: apt-get install mmdebstrap").
Result<std::string> find_program(std::string_view name);

struct ExitStatus {
  int code = 0;    // exit status, where signal == 0
  int signal = 0;  // the signal that ended it
  [[nodiscard]] bool success() const { return code == 0 && signal == 0; }
  [[nodiscard]] std::string describe() const;  // "exit status 3", "killed by SIGKILL"
};

struct Finished {
  ExitStatus status;
  std::string out;       // stdout, up to the limit
  std::string err_tail;  // the last 8 KiB of stderr
};

struct RunOptions {
  std::string input;                     // what stdin gives
  std::size_t out_limit = 64U << 20;     // more is an error
  std::chrono::milliseconds timeout{0};  // 0: none
};

// Runs to the end. A non-zero exit is not an Error here: see `status`; run_checked makes it one, with err_tail as
// cause.
Result<Finished> run(const Command& command, const RunOptions& options = {});
Result<Finished> run_checked(const Command& command, const RunOptions& options = {});

// A running program whose stdout is read as it comes.
class Child {
 public:
  // stdout is a pipe (out()), stderr a pipe (err()), stdin /dev/null. Neither pipe is drained for the caller.
  static Result<Child> start(const Command& command);
  // A copy of this process (fork(2)) that runs `body` and ends with what it returns: for work in namespaces of its own.
  // It has a process group of its own, dies with its parent, holds no descriptor but its pipes (out() and err(), as
  // above) and `peer`, one end of a socket. `prepare` runs in the parent with the other end, while the child is at
  // work; its Error ends the child. The body must not log, nor report progress: another thread of the parent may have
  // held their locks.
  static Result<Child> call(const std::function<int(int peer)>& body,
                            const std::function<Result<void>(pid_t child, int peer)>& prepare);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // SIGTERM, then after two seconds SIGKILL, if it still runs; always reaped

  [[nodiscard]] int out() const { return out_.get(); }
  [[nodiscard]] int err() const { return err_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void close_out() { out_.reset(); }
  void terminate();           // SIGTERM, no wait
  Result<ExitStatus> wait();  // reaps

 private:
  Child(pid_t pid, bool group, Fd out, Fd err) : pid_(pid), group_(group), out_(std::move(out)), err_(std::move(err)) {}
  void signal(int number) const;
  pid_t pid_ = -1;
  bool group_ = false;
  Fd out_;
  Fd err_;
};

}  // namespace domsmith
