#include "base/seal.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "base/audit_arch.h"
#include "base/sanitized.h"

namespace domsmith {
namespace {

// Memory, the descriptors at hand, the clock, and the end. mmap and mprotect are looked at closer.
constexpr std::array allowed{
    SYS_read,         SYS_write,          SYS_readv,         SYS_writev,       SYS_pread64, SYS_pwrite64,
    SYS_lseek,        SYS_close,          SYS_brk,           SYS_munmap,       SYS_mremap,  SYS_madvise,
    SYS_futex,        SYS_getrandom,      SYS_clock_gettime, SYS_gettimeofday, SYS_exit,    SYS_exit_group,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_sched_yield,   SYS_getpid,       SYS_gettid,  SYS_restart_syscall,
    SYS_fdatasync,    SYS_fsync,          SYS_rt_sigaction,  SYS_sigaltstack,
};

// What libraries try and can do without.
constexpr std::array refused{
    SYS_openat, SYS_readlinkat, SYS_faccessat, SYS_newfstatat, SYS_ioctl,    SYS_fcntl, SYS_fstat, SYS_tgkill,
#if defined(SYS_open)
    SYS_open,   SYS_stat,       SYS_lstat,     SYS_access,     SYS_readlink,
#endif
};

constexpr auto action_at = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
constexpr auto architecture_at = static_cast<std::uint32_t>(offsetof(seccomp_data, arch));
// The low half of the third argument (little-endian): PROT_… of mmap(2) and mprotect(2).
constexpr auto protection_at = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 2 * sizeof(__u64));
constexpr std::uint32_t executable = 4;  // PROT_EXEC

sock_filter statement(unsigned code, std::uint32_t value) {
  return {.code = static_cast<std::uint16_t>(code), .jt = 0, .jf = 0, .k = value};
}
sock_filter jump(unsigned code, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {.code = static_cast<std::uint16_t>(code), .jt = yes, .jf = no, .k = value};
}

void answer(std::vector<sock_filter>& program, long call, std::uint32_t action) {
  program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1));
  program.push_back(statement(BPF_RET | BPF_K, action));
}

// Allowed, unless the memory is to hold code.
void answer_mapping(std::vector<sock_filter>& program, long call) {
  program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4));
  program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, protection_at));
  program.push_back(jump(BPF_JMP | BPF_JSET | BPF_K, executable, 0, 1));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

std::vector<sock_filter> filter() {
  std::vector<sock_filter> program{
      statement(BPF_LD | BPF_W | BPF_ABS, architecture_at),
      jump(BPF_JMP | BPF_JEQ | BPF_K, native_audit_arch, 1, 0),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      statement(BPF_LD | BPF_W | BPF_ABS, action_at),
  };
  for (const long call : allowed) {
    answer(program, call, SECCOMP_RET_ALLOW);
  }
  if (sanitized) {
    answer(program, SYS_pipe2, SECCOMP_RET_ALLOW);  // how UBSan asks whether memory can be read
  }
  for (const long call : refused) {
    answer(program, call, SECCOMP_RET_ERRNO | EACCES);
  }
#if defined(SYS_mmap)
  answer_mapping(program, SYS_mmap);
#endif
#if defined(SYS_mmap2)
  answer_mapping(program, SYS_mmap2);
#endif
  answer_mapping(program, SYS_mprotect);
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  return program;
}

}  // namespace

Result<void> seal_process() {
  std::vector<sock_filter> program = filter();
  const sock_fprog whole{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0) {
    return fail_errno("cannot seal a process with seccomp", errno,
                      "the kernel has to allow seccomp filters (CONFIG_SECCOMP_FILTER)");
  }
  return {};
}

}  // namespace domsmith
