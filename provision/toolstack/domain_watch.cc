#include "provision/toolstack/domain_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/interrupt.h"

namespace domsmith {
namespace {

DomainEnd end_of(libxl_shutdown_reason reason) {
  switch (reason) {
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
      return DomainEnd::poweroff;
    case LIBXL_SHUTDOWN_REASON_REBOOT:
      return DomainEnd::reboot;
    case LIBXL_SHUTDOWN_REASON_SUSPEND:
      return DomainEnd::suspend;
    case LIBXL_SHUTDOWN_REASON_CRASH:
      return DomainEnd::crash;
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
      return DomainEnd::watchdog;
    case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
      return DomainEnd::soft_reset;
    case LIBXL_SHUTDOWN_REASON_UNKNOWN:
      break;
  }
  return DomainEnd::unknown;
}

struct EventFree {
  libxl_ctx* context;
  void operator()(libxl_event* event) const { libxl_event_free(context, event); }
};

int is_of_domain(const libxl_event* event, void* domid) {
  return event->domid == *static_cast<std::uint32_t*>(domid) ? 1 : 0;
}

}  // namespace

Result<DomainWatch> DomainWatch::start(LibxlContext& libxl, std::uint32_t domid) {
  libxl_evgen_domain_death* source = nullptr;
  if (const int code = libxl_evenable_domain_death(libxl.get(), domid, 0, &source); code != 0) {
    return libxl.failure(fmt::format("cannot watch domain {}", domid), code);
  }
  return DomainWatch(libxl, domid, source);
}

DomainWatch::DomainWatch(DomainWatch&& other) noexcept
    : libxl_(other.libxl_), domid_(other.domid_), source_(std::exchange(other.source_, nullptr)) {}

DomainWatch::~DomainWatch() {
  if (source_ != nullptr) {
    libxl_evdisable_domain_death(libxl_->get(), source_);
  }
}

Result<std::optional<DomainNews>> DomainWatch::queued() {
  for (;;) {
    libxl_event* event = nullptr;
    const int code = libxl_event_check(libxl_->get(), &event, LIBXL_EVENTMASK_ALL, is_of_domain, &domid_);
    if (code == ERROR_NOT_READY) {
      return std::nullopt;
    }
    if (code != 0) {
      return libxl_->failure(fmt::format("cannot hear of domain {}", domid_), code);
    }
    const std::unique_ptr<libxl_event, EventFree> owner(event, EventFree{libxl_->get()});
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH) {
      return DomainNews{.gone = true, .end = DomainEnd::unknown};
    }
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN) {
      return DomainNews{.gone = false,
                        .end = end_of(static_cast<libxl_shutdown_reason>(event->u.domain_shutdown.shutdown_reason))};
    }
  }
}

// One round of libxl's own loop (libxl_event.h, "OS event handling").
Result<void> DomainWatch::poll_once(int milliseconds) {
  std::array<pollfd, 64> descriptors{};
  int count = static_cast<int>(descriptors.size());
  timeval now{};
  ::gettimeofday(&now, nullptr);
  if (const int code = libxl_osevent_beforepoll(libxl_->get(), &count, descriptors.data(), &milliseconds, now);
      code != 0) {
    return libxl_->failure("cannot wait for Xen's events", code);
  }
  if (::poll(descriptors.data(), static_cast<nfds_t>(count), milliseconds) < 0) {
    if (errno != EINTR) {
      return fail_errno("cannot wait for Xen's events", errno);
    }
    return check_interrupted();
  }
  ::gettimeofday(&now, nullptr);
  libxl_osevent_afterpoll(libxl_->get(), count, descriptors.data(), now);
  return {};
}

Result<std::optional<DomainNews>> DomainWatch::wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (auto news = TRY(queued())) {
      return news;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return std::nullopt;
    }
    TRY(poll_once(static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30))));
  }
}

Result<DomainNews> DomainWatch::wait() {
  for (;;) {
    if (const auto news = TRY(queued())) {
      return *news;
    }
    TRY(poll_once(-1));
  }
}

}  // namespace domsmith
