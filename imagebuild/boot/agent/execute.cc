#include "imagebuild/boot/agent/execute.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace domsmith::agent {
namespace {

constexpr const char* script_path = "/domsmith-script";

// What maintainer scripts get from dpkg and apt, and nothing of the host's.
std::vector<std::string> step_environment() {
  std::vector<std::string> variables{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                     "HOME=/root",
                                     "LC_ALL=C.UTF-8",
                                     "DEBIAN_FRONTEND=noninteractive",
                                     "DEBCONF_NONINTERACTIVE_SEEN=true",
                                     "INITRD=No"};
  // What makes two builds alike comes from the build (engine/housekeeping.h).
  for (const char* name : {"SOURCE_DATE_EPOCH", "PERL_HASH_SEED", "PYTHONHASHSEED"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      variables.push_back(std::string(name) + "=" + value);
    }
  }
  return variables;
}

// stdin is a file in memory: nobody has to feed a pipe while the program runs.
int input_file(const std::string& input) {
  int fd = ::memfd_create("input", MFD_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  std::size_t done = 0;
  while (done < input.size()) {
    ssize_t count = ::write(fd, input.data() + done, input.size() - done);
    if (count < 0 && errno != EINTR) {
      ::close(fd);
      return -1;
    }
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

// A network namespace of its own, and the loopback in it up (netdevice(7)).
bool leave_network() {
  if (::unshare(CLONE_NEWNET) != 0) {
    return false;
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");  // NOLINT(clang-analyzer-security.insecureAPI.strcpy): it fits
  request.ifr_flags = IFF_UP;
  if (fd >= 0) {
    ::ioctl(fd, SIOCSIFFLAGS, &request);
    ::close(fd);
  }
  return true;
}

[[noreturn]] void run_child(char* const* argv, int input, bool network) {
  if (!network && !leave_network()) {
    ::dprintf(STDERR_FILENO, "cannot leave the network: %s\n", std::strerror(errno));
    ::_exit(126);
  }
  ::dup2(input, STDIN_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  std::vector<std::string> environment = step_environment();
  std::vector<char*> pointers;
  for (std::string& variable : environment) {
    pointers.push_back(variable.data());
  }
  pointers.push_back(nullptr);
  ::execve(argv[0], argv, pointers.data());
  ::dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  ::_exit(127);
}

Outcome wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return errno_text("cannot wait");
    }
  }
  if (WIFSIGNALED(status)) {
    return std::unexpected("killed by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return std::unexpected("exit status " + std::to_string(WEXITSTATUS(status)));
  }
  return {};
}

}  // namespace

namespace {

// execve(2) says "no such file" of a script whose interpreter is missing, which nobody understands.
Outcome check_interpreter(const std::string& bytes) {
  std::string line = bytes.substr(2, bytes.find('\n') - 2);
  line.erase(0, line.find_first_not_of(" \t"));
  if (line.ends_with('\r')) {
    return std::unexpected("its lines end in CR LF, which the kernel does not read as an interpreter's name");
  }
  const std::string program = line.substr(0, line.find_first_of(" \t"));
  if (::access(program.c_str(), X_OK) != 0) {
    return std::unexpected("its interpreter '" + program + "' is not in the image at this phase");
  }
  return {};
}

}  // namespace

Outcome execute(const std::vector<std::string>& argv, const std::string& input, bool network) {
  if (argv.empty() || !argv[0].starts_with('/')) {
    return std::unexpected("a program needs an absolute path");
  }
  std::vector<char*> pointers;
  for (const std::string& argument : argv) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  int fd = input_file(input);
  if (fd < 0) {
    return errno_text("cannot hold the input");
  }
  pid_t child = ::fork();
  if (child == 0) {
    run_child(pointers.data(), fd, network);
  }
  int fork_errno = errno;
  ::close(fd);
  if (child < 0) {
    errno = fork_errno;
    return errno_text("cannot start a process");
  }
  return wait_for(child);
}

Outcome execute_script(const std::string& bytes, bool network) {
  if (!bytes.starts_with("#!")) {
    return std::unexpected("a script starts with #!");
  }
  if (auto checked = check_interpreter(bytes); !checked) {
    return checked;
  }
  if (auto written = write_new_file(script_path, bytes, 0700); !written) {
    return written;
  }
  auto outcome = execute({script_path}, {}, network);
  ::unlink(script_path);
  return outcome;
}

}  // namespace domsmith::agent
