#include "provision/toolstack/libxl_toolstack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "provision/toolstack/console_log.h"
#include "provision/toolstack/create_domain.h"
#include "provision/toolstack/domain_memory.h"
#include "provision/toolstack/domain_watch.h"
#include "provision/toolstack/monitor.h"
#include "provision/toolstack/xen_facts.h"

namespace domsmith {
namespace {

constexpr std::chrono::seconds monitor_patience{15};
constexpr std::size_t shown_console_lines = 6;

struct CFree {
  void operator()(void* memory) const { std::free(memory); }
};

std::string uuid_text(const libxl_uuid& uuid) {
  const auto digits = hex(std::as_bytes(std::span(uuid.uuid)));
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

DomainState state_of(const libxl_dominfo& info) {
  if (info.dying) {
    return DomainState::dying;
  }
  if (info.shutdown) {
    return info.shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH ? DomainState::crashed : DomainState::shutdown;
  }
  return info.paused ? DomainState::paused : DomainState::running;
}

struct InfoListFree {
  int count = 0;
  void operator()(libxl_dominfo* list) const { libxl_dominfo_list_free(list, count); }
};
using InfoList = std::unique_ptr<libxl_dominfo, InfoListFree>;

}  // namespace

Result<std::unique_ptr<Toolstack>> LibxlToolstack::open(const ToolstackOptions& options) {
  TRY(require_xen(xen_presence()));
  auto libxl = TRY(LibxlContext::open());
  return std::unique_ptr<Toolstack>(new LibxlToolstack(options, std::move(libxl)));
}

// Xen knows PVH guests as HVM ones; the configuration that libxl keeps of each domain tells them apart.
std::string LibxlToolstack::type_of(const libxl_dominfo& info) {
  if (info.domain_type == LIBXL_DOMAIN_TYPE_PV) {
    return "pv";
  }
  std::uint8_t* data = nullptr;
  int length = 0;
  if (libxl_userdata_retrieve(libxl_->get(), info.domid, "libxl-json", &data, &length) != 0) {
    libxl_->forget_log();
    return "hvm";
  }
  const std::unique_ptr<std::uint8_t, CFree> owner(data);
  const auto json = nlohmann::json::parse(data, data + length, nullptr, false);
  const auto pointer = nlohmann::json::json_pointer("/c_info/type");
  return json.is_object() && json.contains(pointer) && json[pointer] == "pvh" ? "pvh" : "hvm";
}

RunningDomain LibxlToolstack::describe(const libxl_dominfo& info, std::string name) {
  return {.domid = info.domid,
          .name = std::move(name),
          .uuid = uuid_text(info.uuid),
          .state = state_of(info),
          .type = type_of(info),
          .memory_mib = (info.current_memkb + info.outstanding_memkb) / kib_per_mib,
          .maxmem_mib = info.max_memkb / kib_per_mib,
          .vcpus = info.vcpu_online,
          .cpu_nanoseconds = info.cpu_time};
}

Result<std::vector<RunningDomain>> LibxlToolstack::list() {
  int count = 0;
  libxl_dominfo* const first = libxl_list_domain(libxl_->get(), &count);
  if (first == nullptr) {
    return libxl_->failure("cannot list the domains of this host", ERROR_FAIL);
  }
  const InfoList infos(first, InfoListFree{count});
  std::vector<RunningDomain> domains;
  for (int i = 0; i < count; ++i) {
    const auto& info = infos.get()[i];
    if (info.domid == 0) {
      continue;
    }
    const std::unique_ptr<char, CFree> name(libxl_domid_to_name(libxl_->get(), info.domid));
    domains.push_back(describe(info, name ? std::string(name.get()) : std::string()));
  }
  libxl_->forget_log();
  std::ranges::sort(domains, {}, &RunningDomain::name);
  return domains;
}

Result<std::optional<RunningDomain>> LibxlToolstack::find(std::string_view name) {
  std::uint32_t domid = 0;
  const int code = libxl_name_to_domid(libxl_->get(), std::string(name).c_str(), &domid);
  libxl_->forget_log();
  if (code != 0) {
    return std::nullopt;
  }
  const auto info = TRY(domain_info(*libxl_, domid));
  return info ? std::optional(describe(*info, std::string(name))) : std::nullopt;
}

Result<RunningDomain> LibxlToolstack::require(std::string_view name) {
  TRY(check_name("guest", name));
  auto domain = TRY(find(name));
  if (!domain) {
    return fail(ErrorCode::not_found, fmt::format("guest '{}' does not run", name),
                fmt::format("start it with: domsmith guest start {}", name));
  }
  return std::move(*domain);
}

Result<void> LibxlToolstack::check_free(const DomainSpec& spec) {
  for (const auto& domain : TRY(list())) {
    if (domain.uuid == spec.uuid && domain.name != spec.name) {
      return fail(ErrorCode::exists, fmt::format("domain '{}' has the UUID of '{}'", domain.name, spec.name));
    }
    if (domain.name != spec.name) {
      continue;
    }
    if (domain.uuid != spec.uuid) {
      return fail(ErrorCode::exists, fmt::format("another guest's domain is called '{}'", spec.name),
                  "`xl list` shows it; end it first");
    }
    const bool ended = domain.state == DomainState::shutdown || domain.state == DomainState::crashed;
    return fail(ErrorCode::exists,
                fmt::format("guest '{}' {}", spec.name, ended ? "has ended and is preserved" : "runs already"),
                ended ? fmt::format("take it away first: domsmith guest stop {}", spec.name) : std::string());
  }
  return {};
}

Result<RunningDomain> LibxlToolstack::create(const DomainSpec& spec) {
  TRY(validate(spec));
  const GuestLocks locks(options_.run_directory, spec.name);
  {
    const auto lock = TRY(locks.lock());
    TRY(check_free(spec));
    const auto settings = TRY(read_xl_settings());
    const auto domid = TRY(create_paused(*libxl_, spec, settings));
    if (auto going = set_going(spec, domid); !going) {
      const auto gone = destroy_domain(*libxl_, domid);
      if (!gone) {
        going.error().causes.push_back(gone.error().what);
      }
      return std::unexpected(std::move(going).error());
    }
  }
  return require(spec.name);
}

Result<void> LibxlToolstack::set_going(const DomainSpec& spec, std::uint32_t domid) {
  const ConsoleLog console(spec.name);
  TRY(start_monitor(options_, spec, domid));
  auto watch = TRY(DomainWatch::start(*libxl_, domid));
  TRY(unpause_domain(*libxl_, domid));
  const auto news = TRY(watch.wait(options_.first_moments));
  // Power off and reboot are a guest's right, however soon; what the monitor then does is its business.
  if (!news || (!news->gone && news->end != DomainEnd::crash)) {
    return {};
  }
  Error error{
      .code = ErrorCode::failed,
      .what = fmt::format("guest '{}' ended as soon as it was started", spec.name),
      .where = {},
      .causes = console.last_lines(shown_console_lines),
      .remedy = "give it more memory if its console says nothing: a kernel without room for its initramfs ends so",
      .others = {}};
  return std::unexpected(std::move(error));
}

Result<LibxlToolstack::Stopping> LibxlToolstack::ask_to_power_off(const std::string& name) {
  const auto domain = TRY(require(name));
  const GuestLocks locks(options_.run_directory, name);
  Stopping stopping{.domain = domain, .locks = locks, .stop = TRY(locks.want_stop()), .watch = {}};
  if (domain.state == DomainState::shutdown || domain.state == DomainState::crashed) {
    return stopping;
  }
  if (domain.state == DomainState::paused) {
    TRY(unpause_domain(*libxl_, domain.domid));  // it could not hear us
  }
  stopping.watch.emplace(TRY(DomainWatch::start(*libxl_, domain.domid)));
  if (const int code = libxl_domain_shutdown(libxl_->get(), domain.domid, nullptr); code != 0) {
    return libxl_->failure(fmt::format("cannot ask guest '{}' to power off", name), code,
                           fmt::format("take it away with: domsmith guest stop --force {}", name));
  }
  return stopping;
}

Result<void> LibxlToolstack::wait_for_end(Stopping& stopping, Deadline deadline, std::chrono::milliseconds timeout) {
  const RunningDomain& domain = stopping.domain;
  if (!stopping.watch) {
    return destroy(domain.name);
  }
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto news = TRY(stopping.watch->wait(std::max(left, std::chrono::milliseconds(0))));
    if (!news) {
      return fail(ErrorCode::busy,
                  fmt::format("guest '{}' did not power off within {} s", domain.name,
                              std::chrono::duration_cast<std::chrono::seconds>(timeout).count()),
                  fmt::format("take it away with: domsmith guest stop --force {}", domain.name));
    }
    if (news->gone) {
      break;
    }
    if (!TRY(stopping.locks.monitor_lives())) {
      const auto lock = TRY(stopping.locks.lock());
      TRY(destroy_domain(*libxl_, domain.domid));
      break;
    }
  }
  return stopping.locks.wait_for_monitor(monitor_patience);
}

std::vector<Result<void>> LibxlToolstack::shutdown_all(std::span<const std::string> names,
                                                       std::chrono::milliseconds timeout) {
  // Each holds the file of its lock open: no more at once than a process may have.
  constexpr std::size_t at_once = 500;
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  std::vector<Result<void>> answers;
  for (std::size_t first = 0; first < names.size(); first += at_once) {
    std::vector<Result<Stopping>> asked;
    for (const std::string& name : names.subspan(first, std::min(at_once, names.size() - first))) {
      auto go_on = check_interrupted();
      asked.push_back(go_on ? ask_to_power_off(name) : std::unexpected(std::move(go_on).error()));
    }
    for (Result<Stopping>& one : asked) {
      auto go_on = check_interrupted();  // a wait itself hears a signal once
      if (one && go_on) {
        answers.push_back(wait_for_end(*one, deadline, timeout));
      } else {
        answers.push_back(std::unexpected(one ? std::move(go_on).error() : std::move(one).error()));
      }
    }
  }
  return answers;
}

Result<void> LibxlToolstack::destroy(std::string_view name) {
  TRY(check_name("guest", name));
  const GuestLocks locks(options_.run_directory, name);
  const auto stop = TRY(locks.want_stop());
  {
    const auto lock = TRY(locks.lock());
    const auto domain = TRY(require(name));
    TRY_AS(destroy_domain(*libxl_, domain.domid), fmt::format("cannot take guest '{}' away", name));
  }
  return locks.wait_for_monitor(monitor_patience);
}

Result<void> LibxlToolstack::pause(std::string_view name) {
  const auto domain = TRY(require(name));
  const int code = libxl_domain_pause(libxl_->get(), domain.domid, nullptr);
  return code == 0 ? Result<void>{} : libxl_->failure(fmt::format("cannot pause guest '{}'", name), code);
}

Result<void> LibxlToolstack::unpause(std::string_view name) {
  const auto domain = TRY(require(name));
  return unpause_domain(*libxl_, domain.domid);
}

Result<void> LibxlToolstack::console(std::string_view name) {
  const auto domain = TRY(require(name));
  const int code = libxl_primary_console_exec(libxl_->get(), domain.domid, -1);
  return libxl_->failure(fmt::format("cannot connect to the console of guest '{}'", name), code,
                         "install xen-utils: it has the console client");
}

Result<std::uint64_t> LibxlToolstack::free_memory_mib() { return TRY(free_memory_kib(*libxl_)) / kib_per_mib; }

}  // namespace domsmith
