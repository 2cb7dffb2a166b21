#include "base/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/interrupt.h"
#include "base/pipe.h"
#include "base/process.h"
#include "base/sanitized.h"
#include "base/seal.h"
#include "base/utf8.h"

namespace domsmith {
namespace {

constexpr std::size_t verdict_limit = 64U << 10;

// A large one, where that is allowed.
Result<Pipe> make_large_pipe() {
  Pipe pipe = TRY(make_pipe());
  ::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, 1 << 20);
  return pipe;
}

void close_all_but(std::vector<int> keep) {
  std::ranges::sort(keep);
  unsigned from = 3;
  for (const int fd : keep) {
    const auto number = static_cast<unsigned>(fd);
    if (number >= from) {
      if (number > from) {
        ::close_range(from, number - 1, 0);
      }
      from = number + 1;
    }
  }
  ::close_range(from, ~0U, 0);
}

// Bytes of data that the process has now (proc(5), statm: the sixth number, in pages).
std::uint64_t data_now() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  for (int field = 0; field < 6; ++field) {
    statm >> pages;
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit(__rlimit_resource what, std::uint64_t soft, std::uint64_t hard) {
  const rlimit both{.rlim_cur = soft, .rlim_max = hard};
  ::setrlimit(what, &both);
}

void plug_standard_streams() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    if (!sanitized) {
      ::dup2(null, STDERR_FILENO);  // a terminal obeys what is written to it
    }
    if (null > STDERR_FILENO) {
      ::close(null);
    }
  }
}

Result<void> close_in(const WorkerOptions& options) {
  if (!options.sealed) {
    return {};
  }
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_CPU, options.cpu_seconds, options.cpu_seconds + 1);  // SIGXCPU, which tells it from all else that kills
  if (!sanitized) {
    const std::uint64_t most = data_now() + options.memory;
    limit(RLIMIT_DATA, most, most);
  }
  return seal_process();
}

std::string encoded(const Error& error) {
  const nlohmann::json json{
      {"code", static_cast<int>(error.code)}, {"what", error.what}, {"causes", error.causes}, {"remedy", error.remedy}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Its words are shown to a person, and may be an attacker's.
std::string plain(const std::string& text) {
  std::string out;
  for (std::string_view rest = text; !rest.empty() && out.size() < 2000;) {
    const CodePoint point = next_code_point(rest);
    out += !point.valid || point.control() ? std::string_view("?") : rest.substr(0, point.bytes);
    rest.remove_prefix(point.bytes);
  }
  return out;
}

Error decoded(const std::string& text) {
  Error error;
  error.what = "a process that reads bytes from outside ended without a reason";
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return error;
  }
  const int code = json.value("code", 0);
  error.code =
      code >= 0 && code <= static_cast<int>(ErrorCode::interrupted) ? static_cast<ErrorCode>(code) : ErrorCode::failed;
  error.what = plain(json.value("what", ""));
  error.remedy = plain(json.value("remedy", ""));
  for (const auto& cause : json.value("causes", nlohmann::json::array())) {
    if (cause.is_string() && error.causes.size() < 20) {
      error.causes.push_back(plain(cause.get<std::string>()));
    }
  }
  return error;
}

[[noreturn]] void run_child(const WorkerOptions& options, const Worker::Work& work, int out, int verdict) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<int> keep = options.keep;
  keep.insert(keep.end(), {out, verdict});
  close_all_but(std::move(keep));
  plug_standard_streams();
  Result<void> result;
  try {
    result = close_in(options);
    if (result) {
      result = work(out);
    }
  } catch (const std::exception& error) {
    result = fail(ErrorCode::failed, std::string("out of memory or another fault: ") + error.what());
  }
  if (!result) {
    const std::string text = encoded(result.error());
    [[maybe_unused]] const auto written = write_all(verdict, std::string_view(text).substr(0, verdict_limit));
  }
  ::_exit(result ? 0 : 1);
}

}  // namespace

Worker::Worker(pid_t pid, Fd out, Fd verdict, bool sealed)
    : pid_(pid), out_(std::move(out)), verdict_(std::move(verdict)), sealed_(sealed) {}

Worker::Worker(Worker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      out_(std::move(other.out_)),
      verdict_(std::move(other.verdict_)),
      sealed_(other.sealed_) {}

Worker& Worker::operator=(Worker&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(out_, other.out_);
  std::swap(verdict_, other.verdict_);
  std::swap(sealed_, other.sealed_);
  return *this;
}

Worker::~Worker() { kill(); }

Result<Worker> Worker::start(const WorkerOptions& options, const Work& work) {
  Pipe out = TRY(make_large_pipe());
  Pipe verdict = TRY(make_pipe());
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  if (pid == 0) {
    run_child(options, work, out.write_end.get(), verdict.write_end.get());
  }
  return Worker(pid, std::move(out.read_end), std::move(verdict.read_end), options.sealed);
}

Result<void> Worker::finish() {
  out_.reset();
  std::string words(verdict_limit, '\0');
  const auto length = read_some(verdict_.get(), std::as_writable_bytes(std::span(words)));
  words.resize(length.value_or(0));
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    if (interrupted()) {
      ::kill(pid_, SIGKILL);
    }
  }
  pid_ = -1;
  TRY(check_interrupted());
  if (!words.empty()) {
    return std::unexpected(decoded(words));
  }
  const ExitStatus ended{.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                         .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
  if (ended.success()) {
    return {};
  }
  return fail(sealed_ ? ErrorCode::bad_input : ErrorCode::failed,
              fmt::format("the process that reads it was ended: {}", ended.describe()),
              sealed_ && ended.signal == SIGSYS ? "it tried what reading does not need: do not trust these bytes"
              : ended.signal == SIGXCPU         ? "it took too long"
              : ended.signal == SIGKILL         ? "the machine had too little memory for it, unless somebody ended it"
                                                : "");
}

void Worker::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
}

}  // namespace domsmith
