// A toolstack in memory, for tests: domains are rows of a table, and a guest's own deeds are methods.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "provision/toolstack/monitor.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

class FakeToolstack final : public Toolstack {
 public:
  explicit FakeToolstack(std::uint64_t memory_mib = 65536) : memory_mib_(memory_mib) {}

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

  // What a guest does by itself; its on_… actions are carried out as a monitor would.
  Result<void> guest_powers_off(std::string_view name);
  Result<void> guest_reboots(std::string_view name);
  Result<void> guest_crashes(std::string_view name);
  // How many guests each shutdown_all() was for.
  [[nodiscard]] const std::vector<std::size_t>& shutdowns() const { return shutdowns_; }
  // This guest takes no notice of shutdown().
  void ignores_shutdown(std::string_view name) { deaf_.insert(std::string(name)); }

 private:
  struct Row {
    DomainSpec spec;
    RunningDomain domain;
  };
  Result<Row*> row(std::string_view name);
  Result<void> stop(std::string_view name, std::chrono::milliseconds timeout);
  Result<void> ended(std::string_view name, DomainEnd end, DomainState state);

  std::uint64_t memory_mib_;
  std::uint32_t next_domid_ = 1;
  std::map<std::string, Row, std::less<>> rows_;
  std::set<std::string, std::less<>> deaf_;
  std::vector<std::size_t> shutdowns_;
};

}  // namespace domsmith
