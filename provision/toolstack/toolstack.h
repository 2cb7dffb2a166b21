// The domains that run on this host, through libxl (libxl_toolstack.h), or in memory for tests (fake_toolstack.h).
// Both pass tests/unit/toolstack/toolstack_contract.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

enum class DomainState {
  running,  // on a CPU, or waiting for one, or for an event
  paused,
  shutdown,  // ended, not yet taken away (preserved, or its monitor is about to act)
  crashed,
  dying,  // being taken away
};
std::string_view state_word(DomainState state);

struct RunningDomain {
  std::uint32_t domid = 0;
  std::string name;
  std::string uuid;
  DomainState state = DomainState::running;
  std::string type;              // "pv", "pvh", "hvm" (not one of ours)
  std::uint64_t memory_mib = 0;  // what it has now
  std::uint64_t maxmem_mib = 0;
  unsigned vcpus = 0;
  std::uint64_t cpu_nanoseconds = 0;
};

class Toolstack {
 public:
  virtual ~Toolstack() = default;

  // Guests, sorted by name; dom0 is left out.
  virtual Result<std::vector<RunningDomain>> list() = 0;
  // nullopt: no domain of that name.
  virtual Result<std::optional<RunningDomain>> find(std::string_view name) = 0;

  // Creates and starts the domain, and a monitor that outlives the caller and does what on_poweroff, on_reboot and
  // on_crash say. exists: a domain of that name, or of that UUID, is there. no_space: not enough free memory (how much
  // there is stands in the text). not_found: a disk, the kernel or the bridge is not there. A domain that ends within
  // its first moments is an Error with the last lines of its console as causes.
  virtual Result<RunningDomain> create(const DomainSpec& spec) = 0;

  // Asks every guest to power off, then waits until the domains have gone: one timeout for all of them. An answer for
  // each, in the order of the names. busy: it had not gone by then. No such domain: not_found. A preserved domain is
  // taken away. interrupted: a signal ended the wait; those asked may still power off.
  virtual std::vector<Result<void>> shutdown_all(std::span<const std::string> names,
                                                 std::chrono::milliseconds timeout) = 0;
  Result<void> shutdown(const std::string& name, std::chrono::milliseconds timeout) {
    return std::move(shutdown_all(std::span(&name, 1), timeout).front());
  }
  // Takes the domain away at once, whatever it is doing, and waits for its monitor to end. not_found.
  virtual Result<void> destroy(std::string_view name) = 0;
  virtual Result<void> pause(std::string_view name) = 0;
  virtual Result<void> unpause(std::string_view name) = 0;

  // Becomes the console client (execs, so returns only an Error); Ctrl-] leaves it.
  virtual Result<void> console(std::string_view name) = 0;

  virtual Result<std::uint64_t> free_memory_mib() = 0;
};

struct ToolstackOptions {
  // Locks and monitor records, e.g. /run/domsmith. With --root: below the root.
  std::filesystem::path run_directory = "/run/domsmith";
  // NAME.log of each monitor.
  std::filesystem::path log_directory = "/var/log/domsmith";
  // The program that monitor.h starts as `PROGRAM guest-monitor NAME`; empty: /proc/self/exe.
  std::filesystem::path program;
  // How long create() looks at a new guest. Long enough to see a kernel without room for its initramfs, short beside
  // what a start takes.
  std::chrono::milliseconds first_moments{400};
};

// unsupported, in one sentence, where this host does not run Xen; denied for an ordinary user on a host that does.
Result<std::unique_ptr<Toolstack>> open_toolstack(const ToolstackOptions& options = {});

}  // namespace domsmith
