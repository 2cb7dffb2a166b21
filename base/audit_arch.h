// The number by which seccomp(2) tells this program's system calls from another architecture's.
#pragma once

#include <linux/audit.h>

#include <cstdint>

namespace domsmith {

#if defined(__x86_64__)
constexpr std::uint32_t native_audit_arch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native_audit_arch = AUDIT_ARCH_AARCH64;
#elif defined(__i386__)
constexpr std::uint32_t native_audit_arch = AUDIT_ARCH_I386;
#elif defined(__arm__)
constexpr std::uint32_t native_audit_arch = AUDIT_ARCH_ARM;
#else
#error "base/audit_arch.h does not know this architecture's number"
#endif

}  // namespace domsmith
