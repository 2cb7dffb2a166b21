#include "provision/toolstack/fake_toolstack.h"

#include <fmt/format.h>

#include "base/text.h"
#include "provision/toolstack/monitor.h"

namespace domsmith {

Result<std::vector<RunningDomain>> FakeToolstack::list() {
  std::vector<RunningDomain> domains;
  for (const auto& [name, row] : rows_) {
    domains.push_back(row.domain);
  }
  return domains;
}

Result<std::optional<RunningDomain>> FakeToolstack::find(std::string_view name) {
  const auto found = rows_.find(name);
  return found == rows_.end() ? std::nullopt : std::optional(found->second.domain);
}

Result<FakeToolstack::Row*> FakeToolstack::row(std::string_view name) {
  TRY(check_name("guest", name));
  const auto found = rows_.find(name);
  if (found == rows_.end()) {
    return fail(ErrorCode::not_found, fmt::format("guest '{}' does not run", name),
                fmt::format("start it with: domsmith guest start {}", name));
  }
  return &found->second;
}

Result<RunningDomain> FakeToolstack::create(const DomainSpec& spec) {
  TRY(validate(spec));
  for (const auto& [name, row] : rows_) {
    if (name == spec.name || row.spec.uuid == spec.uuid) {
      return fail(ErrorCode::exists, fmt::format("guest '{}' runs already", spec.name));
    }
  }
  const auto free = TRY(free_memory_mib());
  if (spec.memory_mib > free) {
    return fail(ErrorCode::no_space, fmt::format("not enough memory for '{}': it needs {} MiB, and {} MiB are free",
                                                 spec.name, spec.memory_mib, free));
  }
  const RunningDomain domain{.domid = next_domid_++,
                             .name = spec.name,
                             .uuid = spec.uuid,
                             .state = DomainState::running,
                             .type = std::string(type_word(spec.type)),
                             .memory_mib = spec.memory_mib,
                             .maxmem_mib = spec.maxmem_mib,
                             .vcpus = spec.vcpus,
                             .cpu_nanoseconds = 0};
  rows_.insert_or_assign(spec.name, Row{.spec = spec, .domain = domain});
  return domain;
}

std::vector<Result<void>> FakeToolstack::shutdown_all(std::span<const std::string> names,
                                                      std::chrono::milliseconds timeout) {
  shutdowns_.push_back(names.size());
  std::vector<Result<void>> answers;
  for (const std::string& name : names) {
    answers.push_back(stop(name, timeout));
  }
  return answers;
}

Result<void> FakeToolstack::stop(std::string_view name, std::chrono::milliseconds timeout) {
  const auto* one = TRY(row(name));
  const bool ended = one->domain.state == DomainState::shutdown || one->domain.state == DomainState::crashed;
  if (!ended && deaf_.contains(name)) {
    return fail(ErrorCode::busy,
                fmt::format("guest '{}' did not power off within {} s", name,
                            std::chrono::duration_cast<std::chrono::seconds>(timeout).count()),
                fmt::format("take it away with: domsmith guest stop --force {}", name));
  }
  return destroy(name);
}

Result<void> FakeToolstack::destroy(std::string_view name) {
  TRY(row(name));
  rows_.erase(rows_.find(name));
  return {};
}

Result<void> FakeToolstack::pause(std::string_view name) {
  TRY(row(name))->domain.state = DomainState::paused;
  return {};
}

Result<void> FakeToolstack::unpause(std::string_view name) {
  TRY(row(name))->domain.state = DomainState::running;
  return {};
}

Result<void> FakeToolstack::console(std::string_view name) {
  TRY(row(name));
  return fail(ErrorCode::unsupported, fmt::format("guest '{}' lives in memory and has no console", name));
}

Result<std::uint64_t> FakeToolstack::free_memory_mib() {
  std::uint64_t used = 0;
  for (const auto& [name, row] : rows_) {
    used += row.domain.memory_mib;
  }
  return memory_mib_ - used;
}

Result<void> FakeToolstack::ended(std::string_view name, DomainEnd end, DomainState state) {
  auto* one = TRY(row(name));
  const auto spec = one->spec;
  const auto decision = decide(end, spec, false);
  one->domain.state = state;
  if (decision.take_away) {
    TRY(destroy(name));
  }
  if (decision.restart) {
    TRY(create(spec));
  }
  return {};
}

Result<void> FakeToolstack::guest_powers_off(std::string_view name) {
  return ended(name, DomainEnd::poweroff, DomainState::shutdown);
}
Result<void> FakeToolstack::guest_reboots(std::string_view name) {
  return ended(name, DomainEnd::reboot, DomainState::shutdown);
}
Result<void> FakeToolstack::guest_crashes(std::string_view name) {
  return ended(name, DomainEnd::crash, DomainState::crashed);
}

}  // namespace domsmith
