#include "provision/watch/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/text.h"

namespace domsmith {

namespace {

constexpr std::uint64_t least_step = 64U << 20;

std::string amount(const StoreLimit& limit) { return limit.bytes ? size_text(limit.free) : std::to_string(limit.free); }

// So much that the limit is at the warning threshold again.
std::uint64_t step_for(const StoreLimit& limit, const WatchThresholds& thresholds) {
  const auto used = static_cast<double>(limit.size - limit.free);
  const double wanted = used * 100.0 / std::max(1.0, thresholds.warn) - static_cast<double>(limit.size);
  return std::max(least_step, static_cast<std::uint64_t>(std::max(0.0, std::ceil(wanted))));
}

}  // namespace

Result<void> WatchThresholds::check() const {
  if (0 < warn && warn <= grow && grow <= pause && resume <= pause && pause <= 100) {
    return {};
  }
  return fail(ErrorCode::bad_input,
              fmt::format("the thresholds {} (warn), {} (grow), {} (pause), {} (resume) are in no order", warn, grow,
                          pause, resume),
              "give percents with warn <= grow <= pause and resume <= pause");
}

WatchDecision decide(const StoreStatus& status, const WatchThresholds& thresholds) {
  WatchDecision decision;
  bool room_everywhere = true;
  for (const StoreLimit& limit : status.limits) {
    if (limit.size == 0) {
      continue;
    }
    const double used = limit.used_percent();
    if (used >= thresholds.warn) {
      decision.warnings.push_back(
          fmt::format("{} is {:.0f} % full: {} free", limit.what, std::floor(used), amount(limit)));
    }
    const bool data = &limit == &status.limits.front();
    if (data && used >= thresholds.grow && status.can_grow > 0) {
      decision.grow_by = std::min(step_for(limit, thresholds), status.can_grow);
    }
    decision.pause = decision.pause || used >= thresholds.pause;
    room_everywhere = room_everywhere && used < thresholds.resume;
  }
  decision.resume = room_everywhere;
  return decision;
}

Result<StoreStatus> StoreWatch::look(const WatchThresholds& thresholds, Progress& progress) {
  StoreStatus status = TRY(store_.status());
  WatchDecision decision = decide(status, thresholds);
  for (const std::string& warning : decision.warnings) {
    if (told_.insert(warning).second) {
      progress.warning(fmt::format("{}: {}", store_.name(), warning));
    }
  }
  if (decision.warnings.empty()) {
    told_.clear();
  }
  if (decision.grow_by > 0) {
    if (const auto grown = grow(decision.grow_by, progress); !grown) {
      progress.warning(fmt::format("{}: {}", store_.name(), grown.error().what));
    }
    status = TRY(store_.status());
    decision = decide(status, thresholds);
  }
  if (decision.pause) {
    TRY(pause_guests(progress));
  } else if (decision.resume) {
    TRY(resume_guests(progress));
  }
  return status;
}

Result<void> StoreWatch::grow(std::uint64_t bytes, Progress& progress) {
  const std::uint64_t grown = TRY(store_.grow(bytes));
  if (grown > 0) {
    progress.note(fmt::format("{}: extended by {}", store_.name(), size_text(grown)));
  }
  return {};
}

// Those of this store that run. Written down before it is done: a pause that nobody knows of would last for ever.
Result<void> StoreWatch::pause_guests(Progress& progress) {
  if (toolstack_ == nullptr) {
    return {};
  }
  GuestFilter here;
  here.store = store_.name();
  std::set<std::string> ours;
  for (const GuestRecord& guest : TRY(registry_.list_guests(here))) {
    ours.insert(guest.name);
  }
  std::vector<std::string> running;
  for (const RunningDomain& domain : TRY(toolstack_->list())) {
    if (domain.state == DomainState::running && ours.contains(domain.name)) {
      running.push_back(domain.name);
    }
  }
  if (running.empty()) {
    return {};
  }
  std::set<std::string> names = TRY(paused());
  names.insert(running.begin(), running.end());
  TRY(remember(names));
  for (const std::string& name : running) {
    if (const auto done = toolstack_->pause(name); !done && done.error().code != ErrorCode::not_found) {
      progress.warning(done.error().what);
    }
  }
  progress.warning(fmt::format("{}: paused {} before their writes fail", store_.name(), join(running, ", ")));
  return {};
}

Result<void> StoreWatch::resume_guests(Progress& progress) {
  const std::set<std::string> names = TRY(paused());
  if (toolstack_ == nullptr || names.empty()) {
    return {};
  }
  std::vector<std::string> resumed;
  for (const std::string& name : names) {
    const auto domain = TRY(toolstack_->find(name));
    if (domain && domain->state == DomainState::paused) {
      TRY(toolstack_->unpause(name));
      resumed.push_back(name);
    }
  }
  TRY(remember({}));
  if (!resumed.empty()) {
    progress.note(fmt::format("{}: {} go on", store_.name(), join(resumed, ", ")));
  }
  return {};
}

Result<std::set<std::string>> StoreWatch::paused() const {
  const auto text = read_file(record_);
  if (!text) {
    return text.error().code == ErrorCode::not_found ? Result<std::set<std::string>>(std::set<std::string>())
                                                     : std::unexpected(text.error());
  }
  std::set<std::string> names;
  for (const std::string& line : split_lines(*text)) {
    if (check_name("guest", line)) {
      names.insert(line);
    }
  }
  return names;
}

Result<void> StoreWatch::remember(const std::set<std::string>& names) const {
  if (names.empty()) {
    return remove_file(record_);
  }
  return write_file_atomic(record_, join(std::vector<std::string>(names.begin(), names.end()), "\n") + "\n");
}

}  // namespace domsmith
