#include "imagebuild/packages/package_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/passwords.h"
#include "base/process.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/packages/run_log.h"

namespace domsmith::packages {
namespace {

constexpr int poll_milliseconds = 200;  // how soon a signal is noticed while mmdebstrap says nothing
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

Result<void> fill_work_folder(const std::filesystem::path& folder, const PackagePlan& plan) {
  TRY(write_file_atomic(folder / "agent", agent::agent_program(), 0600));
  for (const HookSteps& hook : plan.hooks) {
    TRY(write_file_atomic(folder / hook.file, agent::encode_steps(hook.steps), 0600));
  }
  return {};
}

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

// In a user namespace mmdebstrap works with ids that are "others" to every folder of the host.
Result<void> check_enterable(const std::filesystem::path& folder) {
  std::error_code code;
  for (std::filesystem::path at = std::filesystem::canonical(folder, code); !code; at = at.parent_path()) {
    const auto permissions = std::filesystem::status(at, code).permissions();
    if (!code && (permissions & std::filesystem::perms::others_exec) == std::filesystem::perms::none) {
      return fail(ErrorCode::denied,
                  fmt::format("the folder for temporary files {} lies in {}, which is closed to other users",
                              folder.string(), at.string()),
                  "set TMPDIR to a folder that everybody may enter, such as /var/tmp, or build as root");
    }
    if (at == at.parent_path()) {
      return {};
    }
  }
  return fail(ErrorCode::not_found, fmt::format("there is no folder for temporary files {}", folder.string()),
              "set TMPDIR to a folder that exists");
}

}  // namespace

struct PackageRun::State {
  State(std::optional<TemporaryDirectory> folder, Child started, std::string release, Progress& show)
      : own_work(std::move(folder)), child(std::move(started)), suite(std::move(release)), progress(&show) {}

  std::optional<TemporaryDirectory> own_work;
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

  // A daemon that a script left behind may hold our pipe: silence is the end once mmdebstrap itself is gone.
  [[nodiscard]] bool child_has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }

  // mmdebstrap itself only waits for its children when a signal comes, so all of its group are asked. One of them may
  // be starting the next one just then: they are asked again, but never once the chroot is being removed.
  void ask_to_stop() {
    const auto now = std::chrono::steady_clock::now();
    if ((stop || interrupted()) && !log.is_removing_chroot() && now >= next_request) {
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
    close_tar();
    if (const auto status = state_->wait(); !status) {
      log_info(status.error().what);
    }
  }
}

Result<PackageRun> PackageRun::start(const PackagePlan& plan, Progress& progress, const std::filesystem::path& work) {
  if (plan.mode == PackagePlan::Mode::unshare) {
    TRY(check_enterable(temporary_folder()));
  }
  std::optional<TemporaryDirectory> own;
  if (work.empty()) {
    own = TRY(TemporaryDirectory::make("domsmith-build-"));
  }
  const std::filesystem::path& folder = own ? own->path() : work;
  TRY_AS(fill_work_folder(folder, plan), "cannot prepare the build");
  Command command = plan.command;
  command.working_directory = folder;
  command.process_group = true;
  command.environment.push_back("TMPDIR=" + temporary_folder());
  Child child = TRY(Child::start(command));
  auto state = std::make_unique<State>(std::move(own), std::move(child), plan.suite, progress);
  progress.begin(RunLog::stage_name, RunLog::stages().size(), "steps");
  state->listener = std::thread(&State::listen, state.get());
  return PackageRun(std::move(state));
}

int PackageRun::tar() const { return state_->child.out(); }

Result<void> PackageRun::finish() {
  const auto ended = std::move(state_);
  const auto waited = ended->wait();
  TRY(check_interrupted());
  const ExitStatus status = TRY(waited);
  // Stopped by us, the end of mmdebstrap tells nothing; what it had said before may.
  if (!status.success() && (!ended->stop || ended->log.has_failure())) {
    return std::unexpected(ended->log.failure(status, ended->suite));
  }
  ended->progress->end(RunLog::stage_name);
  return {};
}

void PackageRun::close_tar() {
  state_->stop = true;
  state_->child.close_out();
}

}  // namespace domsmith::packages
