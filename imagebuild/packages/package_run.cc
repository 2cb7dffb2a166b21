#include "imagebuild/packages/package_run.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/passwords.h"
#include "base/process.h"
#include "imagebuild/packages/run_log.h"

namespace domsmith::packages {
namespace {

constexpr int poll_milliseconds = 200;  // how soon a signal is noticed while the child says nothing
constexpr std::size_t line_limit = 64U << 10;

// Lines out of a stream of bytes; a line that does not end is cut.
class LineSplitter {
 public:
  template <class Take>
  void add(std::string_view bytes, Take&& take) {
    for (const char c : bytes) {
      if (c == '\n' || c == '\r' || partial_.size() >= line_limit) {
        flush(take);
      }
      if (c != '\n' && c != '\r') {
        partial_ += c;
      }
    }
  }
  template <class Take>
  void flush(Take&& take) {
    if (!partial_.empty()) {
      take(std::string_view(partial_));
      partial_.clear();
    }
  }

 private:
  std::string partial_;
};

}  // namespace

struct PackageRun::State {
  State(Child started, std::string release, Progress& show)
      : child(std::move(started)), suite(std::move(release)), progress(&show) {}

  Child child;
  std::string suite;
  Progress* progress;
  RunLog log;  // the thread's, until it is joined
  std::atomic<bool> stop = false;
  std::chrono::steady_clock::time_point next_request;
  std::thread listener;

  void take_line(std::string_view text) {
    log_debug(hide_passwords(text));
    if (const auto event = log.line(text)) {
      progress->event(*event);
    }
  }

  // A daemon that a script left behind may hold our pipe: silence is the end once the child itself is gone.
  [[nodiscard]] bool child_has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }

  // All of its group; what runs in the tree ends with the namespace that it runs in.
  void ask_to_stop() {
    const auto now = std::chrono::steady_clock::now();
    if ((stop || interrupted()) && now >= next_request) {
      child.terminate();
      next_request = now + std::chrono::seconds(1);
    }
  }

  // Reads stderr to its end: it must never fill, or mmdebstrap stands still.
  void listen() {
    LineSplitter lines;
    const auto take = [this](std::string_view text) { take_line(text); };
    std::array<char, 16384> buffer{};
    for (;;) {
      ask_to_stop();
      pollfd polled{child.err(), POLLIN, 0};
      if (::poll(&polled, 1, poll_milliseconds) <= 0) {
        if (child_has_ended()) {
          return lines.flush(take);
        }
        continue;
      }
      const ssize_t count = ::read(child.err(), buffer.data(), buffer.size());
      if (count > 0) {
        lines.add({buffer.data(), static_cast<std::size_t>(count)}, take);
      } else if (count == 0 || errno != EINTR) {
        return lines.flush(take);
      }
    }
  }

  Result<ExitStatus> wait() {
    listener.join();
    return child.wait();
  }
};

PackageRun::PackageRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
PackageRun::PackageRun(PackageRun&&) noexcept = default;
PackageRun& PackageRun::operator=(PackageRun&&) noexcept = default;

PackageRun::~PackageRun() {
  if (state_) {
    close_tree();
    if (const auto status = state_->wait(); !status) {
      log_info(status.error().what);
    }
  }
}

PackageRun PackageRun::listen(Child child, std::string suite, Progress& progress) {
  auto state = std::make_unique<State>(std::move(child), std::move(suite), progress);
  progress.begin(RunLog::stage_name, RunLog::stages().size(), "steps");
  state->listener = std::thread(&State::listen, state.get());
  return PackageRun(std::move(state));
}

int PackageRun::tree() const { return state_->child.out(); }

Result<void> PackageRun::finish() {
  const auto ended = std::move(state_);
  const auto waited = ended->wait();
  TRY(check_interrupted());
  const ExitStatus status = TRY(waited);
  // Stopped by us, the child's end tells nothing; what it had said before may.
  if (!status.success() && (!ended->stop || ended->log.has_failure())) {
    return std::unexpected(ended->log.failure(status, ended->suite));
  }
  ended->progress->end(RunLog::stage_name);
  return {};
}

void PackageRun::close_tree() {
  state_->stop = true;
  state_->child.close_out();
}

}  // namespace domsmith::packages
