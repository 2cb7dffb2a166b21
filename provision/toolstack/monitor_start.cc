#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_text.h"
#include "base/text.h"
#include "provision/domain/xl_config.h"
#include "provision/toolstack/monitor.h"

namespace domsmith {
namespace {

constexpr int ready_timeout_ms = 60'000;

struct Launch {
  std::string program;
  std::string name;
  std::string domid;
  Fd input;   // the monitor's stdin
  Fd output;  // the write end of the pipe
  Fd log;
};

// stdin of the monitor: memory, so that nobody has to feed a pipe.
Result<Fd> input_of(const ToolstackOptions& options, const DomainSpec& spec) {
  const nlohmann::json parameters{{"run_directory", options.run_directory.string()},
                                  {"log_directory", options.log_directory.string()}};
  Fd memory(::memfd_create("domsmith-monitor", MFD_CLOEXEC));
  if (!memory) {
    return fail_errno("cannot make the monitor's input", errno);
  }
  TRY(write_all(memory.get(), json_line(parameters) + "\n" + TRY(checked_xl_config(spec))));
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) {
    return fail_errno("cannot make the monitor's input", errno);
  }
  return memory;
}

// Between fork and exec: async-signal-safe calls only (signal-safety(7)).
[[noreturn]] void become(const Launch& launch, char* const* argv, char* const* environment) {
  ::setsid();
  ::dup2(launch.input.get(), STDIN_FILENO);
  ::dup2(launch.output.get(), STDOUT_FILENO);
  ::dup2(launch.log.get(), STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) {
    ::signal(number, SIG_DFL);
  }
  if (::chdir("/") == 0) {
    ::execve(launch.program.c_str(), argv, environment);
  }
  ::_exit(127);
}

// Twice forked: init is the monitor's parent, nobody has to reap it.
Result<void> launch_detached(Launch& launch) {
  std::array<std::string, 4> words{"domsmith", "guest-monitor", launch.name, launch.domid};
  std::array<std::string, 3> settings{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"};
  std::array<char*, 5> argv{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  std::array<char*, 4> environment{settings[0].data(), settings[1].data(), settings[2].data(), nullptr};
  const pid_t child = ::fork();
  if (child < 0) {
    return fail_errno("cannot start the guest's monitor", errno);
  }
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      become(launch, argv.data(), environment.data());
    }
    ::_exit(grandchild < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return fail_errno("cannot start the guest's monitor", errno);
    }
  }
  return status == 0 ? Result<void>{} : fail(ErrorCode::failed, "cannot start the guest's monitor: no process left");
}

// What the monitor says, to its "ready" or to the end.
Result<std::string> answer(int fd) {
  std::string said;
  pollfd descriptor{.fd = fd, .events = POLLIN, .revents = 0};
  while (said.find("ready\n") == std::string::npos) {
    const int ready = ::poll(&descriptor, 1, ready_timeout_ms);
    if (ready < 0 && errno == EINTR) {
      continue;  // the guest is half made: it is finished or undone by the caller, who looks at the signal then
    }
    if (ready <= 0) {
      return fail(ErrorCode::failed, "the guest's monitor does not answer");
    }
    std::array<char, 512> buffer{};
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) {
      break;
    }
    said.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return said;
}

}  // namespace

Result<void> start_monitor(const ToolstackOptions& options, const DomainSpec& spec, std::uint32_t domid) {
  const auto headline = fmt::format("cannot start the monitor of '{}'", spec.name);
  TRY_AS(make_directories(options.log_directory, 0750), headline);
  const auto log = options.log_directory / (spec.name + ".log");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno(headline, errno);
  }
  const Fd from(ends[0]);
  Launch launch{.program = options.program.empty() ? "/proc/self/exe" : options.program.string(),
                .name = spec.name,
                .domid = std::to_string(domid),
                .input = {},
                .output = Fd(ends[1]),
                .log = {}};
  launch.input = TRY_AS(input_of(options, spec), headline);
  launch.log = TRY_AS(open_fd(log.string(), O_WRONLY | O_CREAT | O_APPEND, 0640), headline);
  TRY_AS(launch_detached(launch), headline);
  launch.output.reset();
  const auto said = TRY_AS(answer(from.get()), headline);
  if (said.find("ready\n") == std::string::npos) {
    return fail(ErrorCode::failed, fmt::format("{}: {}", headline, said.empty() ? "it ended at once" : trimmed(said)),
                fmt::format("see {}", log.string()));
  }
  return {};
}

}  // namespace domsmith
