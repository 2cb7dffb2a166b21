#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include "base/interrupt.h"
#include "base/passwords.h"
#include "base/pipe.h"
#include "base/text.h"

namespace domsmith {

namespace {

std::string quoted(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:=,+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) {
    return word;
  }
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

}  // namespace

std::string Command::display() const {
  std::vector<std::string> words;
  const auto shown = [](const std::string& word) { return quoted(hide_passwords(word)); };
  std::ranges::transform(environment, std::back_inserter(words), shown);
  std::ranges::transform(argv, std::back_inserter(words), shown);
  return join(words, " ");
}

Result<std::string> find_program(std::string_view name) {
  static const std::map<std::string_view, std::string_view> packages{{"newuidmap", "uidmap"},
                                                                     {"newgidmap", "uidmap"},
                                                                     {"e2fsck", "e2fsprogs"},
                                                                     {"lvcreate", "lvm2"},
                                                                     {"lvm", "lvm2"},
                                                                     {"xl", "xen-utils-4.17"},
                                                                     {"xenconsole", "xen-utils-common"},
                                                                     {"thin_check", "thin-provisioning-tools"},
                                                                     {"qemu-img", "qemu-utils"},
                                                                     {"apt-get", "apt"}};
  for (const std::string_view folder :
       {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    std::string path = fmt::format("{}/{}", folder, name);
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  const auto package = packages.find(name);
  return fail(ErrorCode::not_found, fmt::format("the program '{}' is not installed", name),
              package == packages.end() ? std::string{} : fmt::format("apt-get install {}", package->second));
}

std::string ExitStatus::describe() const {
  if (signal != 0) {
    const char* abbreviation = ::sigabbrev_np(signal);
    return abbreviation != nullptr ? fmt::format("killed by SIG{}", abbreviation)
                                   : fmt::format("killed by signal {}", signal);
  }
  return fmt::format("exit status {}", code);
}

namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (std::string& word : words) {
    out.push_back(word.data());
  }
  out.push_back(nullptr);
  return out;
}

// Owns what posix_spawn wants to be destroyed.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) {
      sigaddset(&defaults, number);
    }
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

Result<pid_t> spawn(const Command& command, int in, int out, int err) {
  if (command.argv.empty() || !command.argv.front().starts_with('/')) {
    return fail(ErrorCode::failed, fmt::format("'{}' is not an absolute program path", command.display()));
  }
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
  // Of two variables of one name a program takes the first.
  if (std::ranges::none_of(command.environment, [](const std::string& each) { return each.starts_with("HOME="); })) {
    environment.emplace_back("HOME=/");
  }
  environment.insert(environment.end(), command.environment.begin(), command.environment.end());
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, in, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, out, 1);
  posix_spawn_file_actions_adddup2(&settings.actions, err, 2);
  if (!command.working_directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&settings.actions, command.working_directory.c_str());
  }
  if (command.process_group) {
    posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&settings.attributes, 0);
  }
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv.front().c_str(), &settings.actions, &settings.attributes,
                                  pointers(argv).data(), pointers(environment).data());
  if (error != 0) {
    return fail_errno(fmt::format("cannot run {}", command.argv.front()), error);
  }
  return pid;
}

Result<ExitStatus> reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return fail_errno("cannot wait for a program", errno);
    }
  }
  ExitStatus result;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

constexpr std::size_t tail_bytes = 8192;

// One program that is being fed and drained.
struct Exchange {
  const RunOptions& options;
  Finished& finished;
  Fd in, out, err;
  std::size_t sent = 0;

  [[nodiscard]] bool open() const { return static_cast<bool>(out) || static_cast<bool>(err); }

  Result<void> feed() {
    const ssize_t n = ::write(in.get(), options.input.data() + sent, options.input.size() - sent);
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
      in.reset();  // the program does not want the rest: its exit status tells whether that matters
      return {};
    }
    sent += n > 0 ? static_cast<std::size_t>(n) : 0;
    if (sent == options.input.size()) {
      in.reset();
    }
    return {};
  }

  Result<void> drain(Fd& from, std::string& into) {
    std::array<char, 65536> buffer{};
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      from.reset();
    }
    if (&into == &finished.err_tail && into.size() > tail_bytes) {
      into.erase(0, into.size() - tail_bytes);
    }
    if (finished.out.size() > options.out_limit) {
      return fail(ErrorCode::failed, fmt::format("it printed more than {} bytes", options.out_limit));
    }
    return {};
  }

  // One round of poll(2).
  Result<void> turn(int milliseconds) {
    std::array<pollfd, 3> polled{{{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), milliseconds) < 0 && errno != EINTR) {
      return fail_errno("cannot wait for its output", errno);
    }
    if (in && polled[0].revents != 0) {
      TRY(feed());
    }
    if (out && polled[1].revents != 0) {
      TRY(drain(out, finished.out));
    }
    if (err && polled[2].revents != 0) {
      TRY(drain(err, finished.err_tail));
    }
    return {};
  }
};

Result<void> converse(Exchange& exchange, const RunOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  while (exchange.open()) {
    TRY(check_interrupted());
    int wait = 500;  // so that an interrupt is noticed even where poll(2) was entered just after it
    if (options.timeout.count() > 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return fail(ErrorCode::failed, fmt::format("it did not end within {} ms", options.timeout.count()));
      }
      wait = static_cast<int>(std::min<std::int64_t>(wait, left.count()));
    }
    TRY(exchange.turn(wait));
  }
  return {};
}

}  // namespace

Result<Finished> run(const Command& command, const RunOptions& options) {
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const pid_t pid = TRY(spawn(command, in.read_end.get(), out.write_end.get(), err.write_end.get()));
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  Finished finished;
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);
  Exchange exchange{options, finished, std::move(in.write_end), std::move(out.read_end), std::move(err.read_end)};
  if (options.input.empty()) {
    exchange.in.reset();
  }
  auto conversed = converse(exchange, options);
  if (!conversed) {
    ::kill(pid, SIGKILL);
    TRY(reap(pid));
    return wrap(std::move(conversed).error(), fmt::format("{} failed", command.display()));
  }
  finished.status = TRY(reap(pid));
  return finished;
}

Result<Finished> run_checked(const Command& command, const RunOptions& options) {
  Finished finished = TRY(run(command, options));
  if (!finished.status.success()) {
    Error error;
    error.what = fmt::format("{} failed: {}", command.display(), finished.status.describe());
    error.causes = split_lines(trimmed(finished.err_tail));
    return std::unexpected(std::move(error));
  }
  return finished;
}

Result<Child> Child::start(const Command& command) {
  const Fd null = TRY(open_fd("/dev/null", O_RDONLY));
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const pid_t pid = TRY(spawn(command, null.get(), out.write_end.get(), err.write_end.get()));
  return Child(pid, command.process_group, std::move(out.read_end), std::move(err.read_end));
}

namespace {

// The copy's first steps: nothing of the parent's but three standard descriptors and the peer (number 3).
[[noreturn]] void run_copy(const std::function<int(int peer)>& body, pid_t parent, std::array<int, 4> descriptors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(127);
  }
  ::setpgid(0, 0);
  for (int& each : descriptors) {  // out of the way of the numbers they are to get
    each = ::fcntl(each, F_DUPFD_CLOEXEC, 10);
  }
  for (int number = 0; number < 4; ++number) {
    ::dup2(descriptors.at(static_cast<std::size_t>(number)), number);
  }
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  ::close_range(4, ~0U, 0);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) {
    ::signal(number, SIG_DFL);
  }
  ::_exit(body(3));
}

}  // namespace

Result<Child> Child::call(const std::function<int(int peer)>& body,
                          const std::function<Result<void>(pid_t child, int peer)>& prepare) {
  const Fd null = TRY(open_fd("/dev/null", O_RDONLY));
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("cannot make a socket pair", errno);
  }
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  if (pid == 0) {
    run_copy(body, parent, {null.get(), out.write_end.get(), err.write_end.get(), theirs.get()});
  }
  ::setpgid(pid, pid);
  theirs.reset();
  Child child(pid, true, std::move(out.read_end), std::move(err.read_end));
  TRY(prepare(pid, ours.get()));
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      group_(other.group_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(group_, other.group_);
  std::swap(out_, other.out_);
  std::swap(err_, other.err_);
  return *this;
}

void Child::signal(int number) const {
  if (pid_ > 0) {
    ::kill(group_ ? -pid_ : pid_, number);
  }
}

void Child::terminate() { signal(SIGTERM); }

Result<ExitStatus> Child::wait() {
  ExitStatus status = TRY(reap(pid_));
  pid_ = -1;
  return status;
}

Child::~Child() {
  if (pid_ <= 0) {
    return;
  }
  terminate();
  out_.reset();  // a writer that is blocked on a full pipe gets SIGPIPE
  err_.reset();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      return;
    }
    ::poll(nullptr, 0, 10);
  }
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace domsmith
