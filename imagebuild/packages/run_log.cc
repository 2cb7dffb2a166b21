#include "imagebuild/packages/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "base/passwords.h"
#include "base/text.h"
#include "imagebuild/boot/agent/steps.h"

namespace domsmith::packages {
namespace {

constexpr std::size_t tail_lines = 40;
constexpr std::size_t cause_lines = 12;
constexpr std::size_t line_bytes = 400;

struct Stage {
  std::string_view said;  // how the engine begins it (engine/worker.h)
  std::string_view shown;
};
constexpr std::array<Stage, 6> known_stages{{
    {"I: unpacking essential packages", "unpacking essential packages"},
    {"I: installing essential packages", "installing essential packages"},
    {"I: installing packages", "installing packages"},
    {"I: customizing", "customizing"},
    {"I: cleaning", "cleaning"},
    {"I: writing the tree", "writing the tree"},
}};

// A fault that people meet, by what apt or dpkg say of it. The first that fits counts.
struct Fault {
  std::string_view said;
  ErrorCode code;
  std::string_view what;
  std::string_view remedy;
};
constexpr std::array<Fault, 19> known_faults{{
    {"No space left on device", ErrorCode::no_space, "the disk with the state folder is full",
     "free some space there: domsmith cache prune"},
    {"have enough free space", ErrorCode::no_space, "the disk with the state folder has not enough free space",
     "free some space there: domsmith cache prune"},
    {"Unable to locate package", ErrorCode::not_found, "a package of the recipe does not exist in '{}'",
     "check its spelling, or add the component or mirror that has it to [distribution]"},
    {"has no installation candidate", ErrorCode::not_found, "a package of the recipe cannot be installed from '{}'",
     "check its spelling, or add the component or mirror that has it to [distribution]"},
    {"' was not found", ErrorCode::not_found, "a package or version of the recipe does not exist in '{}'",
     "check it with 'apt-cache policy', or add the mirror that has it to [distribution]"},
    {"Could not resolve", ErrorCode::failed, "the mirror's name cannot be resolved",
     "check the network, and the mirror in [distribution] or in /etc/apt"},
    {"Temporary failure resolving", ErrorCode::failed, "the mirror's name cannot be resolved",
     "check the network, and the mirror in [distribution] or in /etc/apt"},
    {"NO_PUBKEY", ErrorCode::failed, "the packages of '{}' are signed with a key that this host does not know",
     "install the distribution's archive key (docs/recipe.md, \"Packages\", says where it is), or name it: mirror = "
     "\"deb "
     "[signed-by=/path/key.gpg] …\""},
    {"is not signed", ErrorCode::failed, "the mirror of '{}' is not signed",
     "use a mirror that is signed, or name its key: mirror = \"deb [signed-by=/path/key.gpg] …\""},
    {"does not have a Release file", ErrorCode::not_found, "the mirror has no release '{}'",
     "check [distribution] release and mirror"},
    {"did not find any indices", ErrorCode::not_found, "the mirror has none of the wanted components of '{}'",
     "check [distribution] components and the architecture"},
    {"unmet dependencies", ErrorCode::failed, "the packages of the recipe do not fit together",
     "see the causes above; a release's packages need its own -updates and -security sources"},
    {"held broken packages", ErrorCode::failed, "the packages of the recipe do not fit together",
     "see the causes above; a release's packages need its own -updates and -security sources"},
    {"Could not connect", ErrorCode::failed, "the mirror cannot be reached",
     "check the network, the proxy, and the mirror in [distribution] or in /etc/apt"},
    {"Unable to connect", ErrorCode::failed, "the mirror cannot be reached",
     "check the network, the proxy, and the mirror in [distribution] or in /etc/apt"},
    {"Failed to fetch", ErrorCode::failed, "packages could not be fetched from the mirror",
     "try again, or use another mirror"},
    {"unshare the user namespace", ErrorCode::denied, "this host does not let ordinary users make user namespaces",
     "see user_namespaces(7) and the host's AppArmor profiles, or build as root"},
    {"unshare() failed", ErrorCode::denied, "this host does not let ordinary users make user namespaces",
     "see user_namespaces(7) and the host's AppArmor profiles, or build as root"},
    {"unshare syscall failed", ErrorCode::denied, "this host does not let ordinary users make user namespaces",
     "see user_namespaces(7) and the host's AppArmor profiles, or build as root"},
}};

void keep(std::deque<std::string>& lines, std::string_view text, std::size_t limit) {
  lines.emplace_back(text.substr(0, line_bytes));
  if (lines.size() > limit) {
    lines.pop_front();
  }
}

// mmdebstrap's own echo of a failed command says nothing to a person.
bool is_noise(std::string_view text) {
  return text.starts_with("E: apt-get ") || text.starts_with("E: setup failed") ||
         text.starts_with("E: mmdebstrap failed") || text.starts_with("E: Some index files failed") ||
         text.starts_with("W: apt-get indextargets");
}

const Fault* find_fault(const std::vector<std::string>& lines) {
  for (const Fault& fault : known_faults) {
    if (std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(fault.said); })) {
      return &fault;
    }
  }
  return nullptr;
}

std::string named(std::string_view what, const std::string& suite) {
  const auto place = what.find("{}");
  return place == std::string_view::npos ? std::string(what)
                                         : fmt::format("{}{}{}", what.substr(0, place), suite, what.substr(place + 2));
}

}  // namespace

const std::vector<std::string_view>& RunLog::stages() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    std::ranges::transform(known_stages, std::back_inserter(out), &Stage::shown);
    return out;
  }();
  return names;
}

std::optional<ProgressEvent> RunLog::line(std::string_view said) {
  const std::string shown = hide_passwords(said);  // of mirrors and proxies, which apt names when they fail
  const std::string_view text = shown;
  if (text.starts_with(agent::marker)) {
    return agent_line(text.substr(agent::marker.size()));
  }
  keep(tail_, text, tail_lines);
  if (!step_title_.empty() && step_failure_.empty()) {
    keep(step_output_, text, cause_lines);
  }
  if ((text.starts_with("E: ") || text.starts_with("W: ")) && !is_noise(text) && complaints_.size() < 4 * tail_lines) {
    complaints_.emplace_back(text.substr(0, line_bytes));
  }
  if (text.starts_with("dpkg: warning: ignoring request to remove")) {
    return ProgressEvent{.kind = ProgressEvent::Kind::warning,
                         .stage = std::string(stage_name),
                         .text = std::string(text.substr(text.find("ignoring"))),
                         .unit = {}};
  }
  return stage_line(text);
}

std::optional<ProgressEvent> RunLog::stage_line(std::string_view text) {
  for (std::size_t i = stages_done_; i < known_stages.size(); ++i) {
    if (text.starts_with(known_stages[i].said)) {
      stages_done_ = i + 1;
      step_title_.clear();
      return ProgressEvent{.kind = ProgressEvent::Kind::advance,
                           .stage = std::string(stage_name),
                           .text = std::string(known_stages[i].shown),
                           .done = i,
                           .total = known_stages.size(),
                           .unit = "steps"};
    }
  }
  return std::nullopt;
}

// "begin N TOTAL TITLE", "failed N REASON"
std::optional<ProgressEvent> RunLog::agent_line(std::string_view text) {
  const auto behind = [&](unsigned words) {
    std::string_view rest = text;
    for (; words > 0; --words) {
      rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
    }
    return std::string(rest);
  };
  if (text.starts_with("failed ")) {
    step_failure_ = behind(2);
    return std::nullopt;
  }
  if (!text.starts_with("begin ") || !step_failure_.empty()) {
    return std::nullopt;
  }
  step_title_ = behind(3);
  step_output_.clear();
  return ProgressEvent{.kind = ProgressEvent::Kind::advance,
                       .stage = std::string(stage_name),
                       .text = step_title_,
                       .done = stages_done_ > 0 ? stages_done_ - 1 : 0,
                       .total = known_stages.size(),
                       .unit = "steps"};
}

bool RunLog::has_failure() const {
  return !step_failure_.empty() ||
         std::ranges::any_of(complaints_, [](const std::string& l) { return l.starts_with("E:"); });
}

Error RunLog::failure(const ExitStatus& status, const std::string& suite) const {
  Error error;
  if (!step_failure_.empty()) {
    error.what =
        fmt::format("{} failed: {}", step_title_.empty() ? "a step inside the image" : step_title_, step_failure_);
    error.causes.assign(step_output_.begin(), step_output_.end());
    return error;
  }
  error.causes = complaints_;
  if (error.causes.size() > cause_lines) {
    error.causes.resize(cause_lines);
  }
  std::vector<std::string> said(tail_.begin(), tail_.end());
  said.insert(said.begin(), complaints_.begin(), complaints_.end());
  if (const Fault* fault = find_fault(said)) {
    error.code = fault->code;
    error.what = named(fault->what, suite);
    error.remedy = std::string(fault->remedy);
    return error;
  }
  error.what = fmt::format("the installation failed: {}", status.describe());
  if (error.causes.empty()) {
    const std::size_t skip = said.size() > cause_lines ? said.size() - cause_lines : 0;
    error.causes.assign(said.begin() + static_cast<std::ptrdiff_t>(skip), said.end());
  }
  return error;
}

}  // namespace domsmith::packages
