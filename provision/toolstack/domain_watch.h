// Waiting for a domain's end (libxl_evenable_domain_death).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "provision/toolstack/libxl_context.h"
#include "provision/toolstack/monitor.h"

namespace domsmith {

struct DomainNews {
  bool gone = false;                   // it does not exist any more
  DomainEnd end = DomainEnd::unknown;  // it has shut down, where it is not gone
};

class DomainWatch {
 public:
  // A domain that has shut down already, or is gone, is reported too.
  static Result<DomainWatch> start(LibxlContext& libxl, std::uint32_t domid);
  DomainWatch(DomainWatch&& other) noexcept;
  DomainWatch& operator=(DomainWatch&&) = delete;
  ~DomainWatch();

  // The next news; nullopt: none came in time. interrupted: a signal came.
  Result<std::optional<DomainNews>> wait(std::chrono::milliseconds timeout);
  Result<DomainNews> wait();  // for as long as it takes

 private:
  DomainWatch(LibxlContext& libxl, std::uint32_t domid, libxl_evgen_domain_death* source)
      : libxl_(&libxl), domid_(domid), source_(source) {}
  Result<std::optional<DomainNews>> queued();
  Result<void> poll_once(int milliseconds);

  LibxlContext* libxl_;
  std::uint32_t domid_;
  libxl_evgen_domain_death* source_;
};

}  // namespace domsmith
