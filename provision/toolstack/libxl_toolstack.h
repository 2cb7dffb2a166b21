// Domains through libxl, the library of xl(1); runs beside xl and with its guests.
#pragma once

#include <memory>

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
  Result<void> shutdown(std::string_view name, std::chrono::milliseconds timeout) override;
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
  Result<void> wait_for_end(const RunningDomain& domain, const GuestLocks& locks, std::chrono::milliseconds timeout);

  ToolstackOptions options_;
  std::unique_ptr<LibxlContext> libxl_;
};

}  // namespace domsmith
