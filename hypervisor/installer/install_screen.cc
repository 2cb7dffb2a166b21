#include "hypervisor/installer/install_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "hypervisor/installer/pages.h"
#include "provision/cli/progress_line.h"

namespace domsmith {
namespace {

constexpr Seconds first_guess{3};  // earlier ones are noise

}  // namespace

double part_of_installation(const std::vector<InstallStep>& steps, std::size_t done) {
  unsigned gone = 0;
  unsigned all = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    gone += i < done ? steps[i].usual : 0;
    all += steps[i].usual;
  }
  return all == 0 ? 0 : static_cast<double>(gone) / static_cast<double>(all);
}

InstallScreen::InstallScreen(Terminal& terminal, std::vector<InstallStep> steps, Now now)
    : terminal_(terminal), steps_(std::move(steps)), now_(std::move(now)), begun_(now_()) {}

std::string InstallScreen::bar() const {
  const double part = part_of_installation(steps_, done_);
  const std::size_t width = std::max<std::size_t>(terminal_.columns(), 40) - 30;
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
  const Seconds elapsed = now_() - begun_;
  const std::string left =
      part > 0 && elapsed >= first_guess ? clock_text(elapsed * (1 - part) / part) + " left" : clock_text(elapsed);
  return fmt::format("[{}{}] {:3.0f} %  {}", std::string(filled, '#'), std::string(width - filled, '-'), part * 100,
                     left);
}

std::vector<std::string> InstallScreen::body() const {
  std::vector<std::string> lines{bar(), std::string()};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    lines.push_back(fmt::format("  {} {}", i < done_ ? "done" : i == done_ ? "  > " : "    ", steps_[i].name));
  }
  lines.emplace_back();
  for (const auto& [stage, event] : parts_) {
    lines.push_back(fmt::format("  {}: {}", stage, amount_text(event)));
  }
  lines.push_back(said_.empty() ? std::string() : "  " + said_);
  return lines;
}

void InstallScreen::event(const ProgressEvent& event) {
  const std::scoped_lock lock(mutex_);
  using Kind = ProgressEvent::Kind;
  if (event.stage == "install") {
    done_ = event.kind == Kind::end ? steps_.size() : std::min<std::size_t>(event.done, steps_.size());
    parts_.clear();
    said_.clear();
  } else if (event.kind == Kind::note || event.kind == Kind::warning) {
    said_ = event.text;
  } else if (event.kind == Kind::end) {
    parts_.erase(event.stage);
  } else {
    parts_[event.stage] = event;
  }
  // A terminal that is gone is no reason to stop: the installation goes on, and its journal tells of it.
  static_cast<void>(terminal_.draw(page_frame(terminal_, "installation", body(), "")));
}

}  // namespace domsmith
