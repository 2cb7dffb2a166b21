// Domains through libxl, the library of xl(1); runs beside xl and with its guests.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "provision/toolstack/domain_watch.h"
#include "provision/toolstack/guest_locks.h"
#include "provision/toolstack/libxl_context.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

class LibxlToolstack final : public Toolstack {
 public:
  static Result<std::unique_ptr<Toolstack>> open(const ToolstackOptions& options);

  Result<std::vector<RunningDomain>> list() override;
  Result<std::optional<RunningDomain>> find(std::string_view name) override;
  Result<RunningDomain> create(const DomainSpec& spec) override;
  std::vector<Result<void>> shutdown_all(std::span<const std::string> names,
                                         std::chrono::milliseconds timeout) override;
  Result<void> destroy(std::string_view name) override;
  Result<void> pause(std::string_view name) override;
  Result<void> unpause(std::string_view name) override;
  Result<void> console(std::string_view name) override;
  Result<std::uint64_t> free_memory_mib() override;

 private:
  LibxlToolstack(ToolstackOptions options, std::unique_ptr<LibxlContext> libxl)
      : options_(std::move(options)), libxl_(std::move(libxl)) {}

  RunningDomain describe(const libxl_dominfo& info, std::string name);
  std::string type_of(const libxl_dominfo& info);
  Result<RunningDomain> require(std::string_view name);
  Result<void> check_free(const DomainSpec& spec);
  // Starts a paused domain and looks at its first moments.
  Result<void> set_going(const DomainSpec& spec, std::uint32_t domid);
  // A guest that was asked to power off: its monitor restarts nothing while `stop` is held.
  struct Stopping {
    RunningDomain domain;
    GuestLocks locks;
    FileLock stop;
    std::optional<DomainWatch> watch;  // none: it had ended already, and is preserved
  };
  Result<Stopping> ask_to_power_off(const std::string& name);
  using Deadline = std::chrono::steady_clock::time_point;
  Result<void> wait_for_end(Stopping& stopping, Deadline deadline, std::chrono::milliseconds timeout);

  ToolstackOptions options_;
  std::unique_ptr<LibxlContext> libxl_;
};

}  // namespace domsmith
