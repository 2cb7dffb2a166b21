#include "provision/toolstack/guest_locks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/interrupt.h"

namespace domsmith {

GuestLocks::GuestLocks(const std::filesystem::path& run_directory, std::string_view name)
    : directory_(run_directory / "guests"), name_(name) {}

std::filesystem::path GuestLocks::file(std::string_view kind) const {
  return directory_ / fmt::format("{}.{}", name_, kind);
}

// Closed to other users: whoever can open a lock's file can hold it for ever.
Result<void> GuestLocks::make_directory() const {
  TRY(make_directories(directory_.parent_path()));
  return make_directories(directory_, 0700);
}

Result<FileLock> GuestLocks::lock() const {
  TRY(make_directory());
  return FileLock::acquire(file("lock"));
}

Result<FileLock> GuestLocks::want_stop() const {
  TRY(make_directory());
  return FileLock::acquire(file("stop"), FileLock::Mode::shared);
}

namespace {

// Whether somebody holds the lock of that file, so that `mode` cannot be had beside it. Two who ask at once do not see
// each other in shared mode; in exclusive mode only the one monitor asks.
Result<bool> is_held(const std::filesystem::path& path, FileLock::Mode mode) {
  const auto lock = FileLock::try_acquire(path, mode);
  if (!lock && lock.error().code != ErrorCode::busy) {
    return std::unexpected(lock.error());
  }
  return !lock.has_value();
}

}  // namespace

Result<bool> GuestLocks::stop_is_wanted() const { return is_held(file("stop"), FileLock::Mode::exclusive); }
Result<bool> GuestLocks::monitor_lives() const { return is_held(file("monitor"), FileLock::Mode::shared); }

Result<FileLock> GuestLocks::become_monitor() const {
  TRY(make_directory());
  auto lock = TRY(FileLock::acquire(file("monitor")));
  // Not renamed into place: the lock is the file's.
  const Fd fd = TRY(open_fd(file("monitor").string(), O_WRONLY | O_TRUNC));
  TRY(write_all(fd.get(), fmt::format("{}\n", ::getpid())));
  return lock;
}

Result<void> GuestLocks::wait_for_monitor(std::chrono::milliseconds timeout) const {
  if (!TRY(monitor_lives())) {
    return {};
  }
  const auto text = TRY(read_file(file("monitor"), 64));
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  // The pid was its holder's when the lock was looked at; should it have ended since, the descriptor is of nobody or of
  // a stranger, which the second look at the lock tells.
  const Fd process(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
  if (process && TRY(monitor_lives())) {
    pollfd descriptor{.fd = process.get(), .events = POLLIN, .revents = 0};
    while (::poll(&descriptor, 1, static_cast<int>(timeout.count())) < 0) {
      if (errno != EINTR) {
        return fail_errno("cannot wait for a guest's monitor", errno);
      }
      TRY(check_interrupted());
    }
  }
  if (TRY(monitor_lives())) {
    return fail(ErrorCode::busy, fmt::format("the monitor of '{}' (process {}) has not ended", name_, pid),
                "its log tells what it is doing: NAME.log in /var/log/domsmith");
  }
  return {};
}

}  // namespace domsmith
