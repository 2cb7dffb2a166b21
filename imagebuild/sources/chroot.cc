#include "imagebuild/sources/chroot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/packages/run_log.h"
#include "imagebuild/sources/namespaces.h"

namespace domsmith::sources {
namespace {

constexpr std::array device_names{"null", "zero", "full", "random", "urandom", "tty"};
constexpr std::string_view agent_path = "/domsmith-agent";
constexpr std::string_view steps_path = "/domsmith-steps";
constexpr std::size_t longest_line = 4096;

// In the child: what goes wrong is said on stderr, where the agent's own words go.
[[noreturn]] void give_up(const char* what) {
  ::dprintf(STDERR_FILENO, "E: %s: %s\n", what, std::strerror(errno));
  ::_exit(126);
}

void must(int result, const char* what) {
  if (result < 0) {
    give_up(what);
  }
}

// A folder of the tree to mount on; a link of that name is the tree's affair and not followed.
void make_folder(const char* path) {
  if (::mkdir(path, 0755) != 0 && errno != EEXIST) {
    give_up(path);
  }
  struct stat info{};
  if (::lstat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
    errno = ENOTDIR;
    give_up(path);
  }
}

// The host's own nodes: a user namespace cannot make any.
void fill_dev(const std::array<int, device_names.size()>& nodes) {
  make_folder("/dev");
  must(::mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=0755"), "cannot mount /dev");
  for (std::size_t i = 0; i < device_names.size(); ++i) {
    const std::string path = fmt::format("/dev/{}", device_names.at(i));
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    must(file, "cannot make a node in /dev");
    ::close(file);
    must(static_cast<int>(::syscall(SYS_move_mount, nodes.at(i), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH)),
         "cannot put a node into /dev");
  }
  must(::symlink("/proc/self/fd", "/dev/fd"), "cannot link /dev/fd");
  must(::symlink("fd/0", "/dev/stdin"), "cannot link /dev/stdin");
  must(::symlink("fd/1", "/dev/stdout"), "cannot link /dev/stdout");
  must(::symlink("fd/2", "/dev/stderr"), "cannot link /dev/stderr");
  make_folder("/dev/shm");
}

// Refused where the host hides parts of its own (proc(5) in a container): nothing of it may come into sight.
void mount_proc() {
  make_folder("/proc");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    give_up("cannot mount /proc");
  }
}

std::array<int, device_names.size()> take_devices() {
  std::array<int, device_names.size()> nodes{};
  for (std::size_t i = 0; i < device_names.size(); ++i) {
    const std::string path = fmt::format("/dev/{}", device_names.at(i));
    nodes.at(i) = static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | O_CLOEXEC));
    must(nodes.at(i), "cannot take a node of /dev");
  }
  return nodes;
}

// Process 1 of a process namespace: all others end with it.
[[noreturn]] void run_agent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto nodes = take_devices();
  must(::chdir(tree_folder), "cannot enter the tree");
  must(static_cast<int>(::syscall(SYS_pivot_root, ".", ".")), "cannot make the tree the root");
  mount_proc();
  must(::umount2(".", MNT_DETACH), "cannot leave the host's file system");
  must(::chdir("/"), "cannot enter the tree");
  fill_dev(nodes);
  const std::string agent(agent_path);
  const std::string steps(steps_path);
  const char* argv[] = {agent.c_str(), steps.c_str(), nullptr};
  const char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", nullptr};
  ::execve(agent.c_str(), const_cast<char**>(argv), const_cast<char**>(environment));
  give_up("cannot start the agent");
}

[[noreturn]] void start_agent(bool network, int words) {
  ::dup2(words, STDERR_FILENO);
  ::dup2(words, STDOUT_FILENO);
  const int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (network ? 0 : CLONE_NEWNET);
  must(::unshare(flags), "cannot make namespaces");
  const pid_t pid = ::fork();
  must(pid, "cannot start a process");
  if (pid == 0) {
    run_agent();
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

// Feeds the log, line by line, until the last of the steps' processes is gone.
void listen(int words, packages::RunLog& log) {
  std::string line;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(words, buffer.data(), buffer.size())) != 0;) {
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return;
    }
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
      if (c == '\n' || line.size() >= longest_line) {
        log.line(line);
        line.clear();
      }
      if (c != '\n') {
        line += c;
      }
    }
  }
  if (!line.empty()) {
    log.line(line);
  }
}

}  // namespace

Result<void> run_steps_in_tree(const std::vector<agent::Step>& steps, bool network) {
  const std::string tree = tree_folder;
  TRY(write_file_atomic(tree + std::string(agent_path), agent::agent_program(), 0700));
  TRY(write_file_atomic(tree + std::string(steps_path), agent::encode_steps(steps), 0600));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno("cannot make a pipe", errno);
  }
  const Fd words(ends[0]);
  Fd mouth(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  if (pid == 0) {
    start_agent(network, mouth.get());
  }
  mouth.reset();
  packages::RunLog log;
  listen(words.get(), log);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const ExitStatus ended{.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                         .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
  return ended.success() ? Result<void>() : std::unexpected(log.failure(ended, ""));
}

}  // namespace domsmith::sources
