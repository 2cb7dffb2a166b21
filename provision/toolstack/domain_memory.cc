#include "provision/toolstack/domain_memory.h"

#include <fmt/format.h>

#include <string>

namespace domsmith {
namespace {

constexpr int wait_for_dom0_seconds = 10;
constexpr int tries = 3;

std::uint64_t mib(std::uint64_t kib) { return kib / kib_per_mib; }

// Whether Xen gave all memory to dom0 at boot, so that guests live from what dom0 gives back (xl.c, auto_autoballoon).
bool dom0_owns_memory(LibxlContext& libxl, const XlSettings& settings) {
  if (settings.autoballoon) {
    return *settings.autoballoon;
  }
  const auto* version = libxl_get_version_info(libxl.get());
  return version == nullptr || version->commandline == nullptr ||
         std::string(" ").append(version->commandline).find(" dom0_mem=") == std::string::npos;
}

std::unexpected<Error> too_little(const char* name, std::uint64_t need, std::uint64_t free) {
  return fail(
      ErrorCode::no_space,
      fmt::format("not enough memory for '{}': it needs {} MiB, and {} MiB are free", name, mib(need), mib(free)),
      "stop a guest, take a smaller template, or make dom0 smaller (xl mem-set Domain-0 …m)");
}

}  // namespace

Result<std::uint64_t> free_memory_kib(LibxlContext& libxl) {
  std::uint64_t free = 0;
  if (const int code = libxl_get_free_memory(libxl.get(), &free); code != 0) {
    return libxl.failure("cannot ask Xen for its free memory", code);
  }
  return free;
}

Result<void> make_room(LibxlContext& libxl, libxl_domain_config& config, const XlSettings& settings) {
  std::uint64_t need = 0;
  if (const int code = libxl_domain_need_memory(libxl.get(), &config, static_cast<uint32_t>(INVALID_DOMID), &need);
      code != 0) {
    return libxl.failure("cannot tell how much memory the domain needs", code);
  }
  const bool shrink_dom0 = dom0_owns_memory(libxl, settings);
  for (int i = 0;; ++i) {
    const auto free = TRY(free_memory_kib(libxl));
    if (free >= need) {
      return {};
    }
    if (!shrink_dom0 || i == tries) {
      return too_little(config.c_info.name, need, free);
    }
    const auto less = static_cast<std::int64_t>(free) - static_cast<std::int64_t>(need);
    if (libxl_set_memory_target(libxl.get(), 0, less, 1, 0) != 0) {
      libxl.forget_log();
      return too_little(config.c_info.name, need, free);
    }
    libxl_wait_for_memory_target(libxl.get(), 0, wait_for_dom0_seconds);
  }
}

}  // namespace domsmith
