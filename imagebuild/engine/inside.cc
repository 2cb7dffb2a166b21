#include "imagebuild/engine/inside.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>

#include "base/audit_arch.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "base/process.h"

namespace domsmith::engine {
namespace {

// "Done", without doing it. Where the kernel refuses the filter, programs wait for the disk as ever.
void make_sync_free() {
  constexpr std::array<std::uint32_t, 5> calls{SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range};
  std::vector<sock_filter> program{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native_audit_arch, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const std::uint32_t call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

Result<void> mount_it(const char* from, const std::string& to, const char* type, unsigned long flags,
                      const char* data = nullptr) {
  if (::mount(from, to.c_str(), type, flags, data) != 0) {
    return fail_errno(fmt::format("cannot mount {} on {}", type == nullptr ? from : type, to), errno);
  }
  return {};
}

// What stands outside, held open across the chroot.
struct Source {
  std::string to;
  Fd fd;
};

Result<std::vector<Source>> open_sources(const std::vector<BindMount>& mounts) {
  std::vector<Source> sources;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    if (auto fd = open_fd(fmt::format("/dev/{}", name), O_PATH)) {
      sources.push_back({.to = fmt::format("/dev/{}", name), .fd = std::move(*fd)});
    }
  }
  sources.push_back({.to = "/sys", .fd = TRY(open_fd("/sys", O_PATH | O_DIRECTORY))});
  for (const BindMount& mount : mounts) {
    sources.push_back({.to = mount.to, .fd = TRY(open_fd(mount.from, O_PATH | O_DIRECTORY))});
  }
  return sources;
}

Result<void> make_devices() {
  TRY(mount_it("none", "/dev", "tmpfs", MS_NOSUID, "mode=755"));
  ::mkdir("/dev/pts", 0755);
  ::mkdir("/dev/shm", 01777);
  ::chmod("/dev/shm", 01777);
  // A pty of the tree's own; without one only programs that ask for a terminal fail.
  ::mount("none", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,gid=5,mode=620,ptmxmode=666");
  constexpr std::array<std::pair<const char*, const char*>, 5> links{{{"/proc/self/fd", "/dev/fd"},
                                                                      {"/proc/self/fd/0", "/dev/stdin"},
                                                                      {"/proc/self/fd/1", "/dev/stdout"},
                                                                      {"/proc/self/fd/2", "/dev/stderr"},
                                                                      {"/dev/pts/ptmx", "/dev/ptmx"}}};
  for (const auto& [target, path] : links) {
    ::symlink(target, path);
  }
  return {};
}

// From here on "/" is the tree: links in it lead nowhere else.
Result<void> enter_tree(const std::string& root, const std::vector<BindMount>& mounts) {
  if (::unshare(CLONE_NEWNS) != 0) {
    return fail_errno("cannot make a mount namespace", errno);
  }
  TRY(mount_it("none", "/", nullptr, MS_REC | MS_PRIVATE));
  const std::vector<Source> sources = TRY(open_sources(mounts));
  if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) {
    return fail_errno(fmt::format("cannot enter {}", root), errno);
  }
  for (const char* folder : {"/dev", "/proc", "/sys"}) {
    ::mkdir(folder, 0755);
  }
  TRY(mount_it("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY));
  TRY(make_devices());
  for (const Source& source : sources) {
    if (source.to.starts_with("/dev/")) {
      const Fd made(::open(source.to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    }
    TRY(mount_it(fmt::format("/proc/self/fd/{}", source.fd.get()).c_str(), source.to, nullptr, MS_BIND | MS_REC));
  }
  struct mount_attr read_only = {};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/sys", AT_RECURSIVE, &read_only, sizeof read_only) != 0 && errno != ENOSYS) {
    return fail_errno("cannot make /sys read-only", errno);
  }
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));
  }
  out.push_back(nullptr);
  return out;
}

std::string how_it_ended(int status) {
  ExitStatus ended;
  if (WIFSIGNALED(status)) {
    ended.signal = WTERMSIG(status);
  } else {
    ended.code = WEXITSTATUS(status);
  }
  return ended.describe();
}

Result<int> wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return fail_errno("cannot wait for a process", errno);
    }
  }
  return status;
}

Result<void> run_one(const InsideCommand& command, const std::vector<std::string>& environment) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ::dup2(null.get(), STDIN_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    std::vector<std::string> all = environment;
    all.insert(all.end(), command.environment.begin(), command.environment.end());
    ::execve(command.argv[0].c_str(), pointers(command.argv).data(), pointers(all).data());
    ::dprintf(STDERR_FILENO, "E: cannot run %s: %m\n", command.argv[0].c_str());
    ::_exit(127);
  }
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  const int status = TRY(wait_for(pid));
  if (status != 0) {
    return fail(ErrorCode::failed,
                fmt::format("{} failed: {}",
                            Command{.argv = command.argv, .environment = {}, .working_directory = {}}.display(),
                            how_it_ended(status)));
  }
  return {};
}

// What programs left running, and what has ended meanwhile.
void clear_processes() {
  ::kill(-1, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
}

// A child in the tree; the text of its Error comes back through a pipe.
Result<void> in_tree(const std::string& root, const std::vector<BindMount>& mounts,
                     const std::function<Result<void>()>& work) {
  auto [read_end, write_end] = TRY(make_pipe());
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto done = enter_tree(root, mounts);
    if (done) {
      make_sync_free();
      done = work();
    }
    if (!done) {
      std::string text = done.error().what;
      for (const std::string& cause : done.error().causes) {
        text += ": " + cause;
      }
      (void)write_all(write_end.get(), text);
    }
    ::_exit(done ? 0 : 1);
  }
  write_end.reset();
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  std::string text(64U << 10, '\0');
  // A program that goes on in the background may hold the pipe: it is read when the child is gone.
  const int status = TRY(wait_for(pid));
  clear_processes();
  text.resize(TRY(read_some(read_end.get(), std::as_writable_bytes(std::span(text)))));
  if (status != 0) {
    return fail(ErrorCode::failed, text.empty() ? "a process in the tree: " + how_it_ended(status) : text);
  }
  return {};
}

[[noreturn]] void end_with(const std::string& text) {
  (void)write_all(STDERR_FILENO, fmt::format("E: {}\n", text));
  ::_exit(1);
}

}  // namespace

Result<void> run_inside(const std::string& root, const std::vector<InsideCommand>& commands,
                        const std::vector<std::string>& environment, const std::vector<BindMount>& mounts) {
  return in_tree(root, mounts, [&]() -> Result<void> {
    for (const InsideCommand& command : commands) {
      TRY(run_one(command, environment));
    }
    return {};
  });
}

Result<void> call_inside(const std::string& root, const std::function<Result<void>()>& work) {
  return in_tree(root, {}, work);
}

int run_in_namespaces(bool user, int peer, const std::function<int()>& work) {
  if (::unshare((user ? CLONE_NEWUSER : 0) | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    end_with(fmt::format("cannot make namespaces: {}", fail_errno("", errno).error().causes.front()));
  }
  char byte = 'u';
  if (::write(peer, &byte, 1) != 1 || ::read(peer, &byte, 1) != 1) {
    ::_exit(1);  // the parent says why
  }
  if (user && (::setgid(0) != 0 || ::setuid(0) != 0)) {
    end_with("cannot become root of the user namespace");
  }
  ::umask(022);
  ::sethostname("localhost", 9);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || ::unshare(CLONE_NEWPID) != 0) {
    end_with("cannot make namespaces of mounts and processes");
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    end_with("cannot start a process");
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(work());
  }
  const auto status = wait_for(pid);
  return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : 1;
}

}  // namespace domsmith::engine
