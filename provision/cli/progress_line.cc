#include "provision/cli/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "provision/cli/table.h"

namespace domsmith {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kLeastBarWidth = 6;
constexpr Seconds kFirstRate{0.5};  // earlier numbers are noise

double fraction(const ProgressEvent& event) {
  return event.total == 0 ? 0 : std::min(1.0, static_cast<double>(event.done) / static_cast<double>(event.total));
}

std::string bar(double part, std::size_t width, bool colour) {
  const auto filled = static_cast<std::size_t>(std::lround(part * static_cast<double>(width)));
  const std::string full(filled, '#');
  const std::string rest(width - filled, '-');
  return colour ? fmt::format("[\x1b[32m{}\x1b[0m{}]", full, rest) : fmt::format("[{}{}]", full, rest);
}

std::string time_left(const ProgressEvent& event, Seconds elapsed) {
  if (event.unit == "steps") {  // of no equal length: only what they took so far is known
    return elapsed < Seconds(2) ? std::string() : clock_text(elapsed);
  }
  if (event.total == 0 || event.done == 0 || event.done >= event.total || elapsed < Seconds(2)) {
    return {};
  }
  const double part = fraction(event);
  return clock_text(elapsed * (1 - part) / part) + " left";
}

}  // namespace

std::string amount_text(const ProgressEvent& event) {
  if (event.done == 0 && event.total == 0) {
    return {};
  }
  if (event.unit == "bytes") {
    return event.total == 0 ? size_text(event.done)
                            : fmt::format("{} of {}", size_text(event.done), size_text(event.total));
  }
  if (event.unit == "steps" && event.total > 0) {
    return fmt::format("step {} of {}", std::min(event.done + 1, event.total), event.total);
  }
  const std::string unit = event.unit.empty() ? "" : " " + event.unit;
  return event.total == 0 ? fmt::format("{}{}", event.done, unit)
                          : fmt::format("{} of {}{}", event.done, event.total, unit);
}

std::string rate_text(const ProgressEvent& event, Seconds elapsed) {
  if (event.done == 0 || event.unit.empty() || event.unit == "steps" || elapsed < kFirstRate) {
    return {};
  }
  const double rate = static_cast<double>(event.done) / elapsed.count();
  if (event.unit == "bytes") {
    return size_text(static_cast<std::uint64_t>(rate)) + "/s";
  }
  return rate < 10 ? fmt::format("{:.1f} {}/s", rate, event.unit) : fmt::format("{:.0f} {}/s", rate, event.unit);
}

std::string clock_text(Seconds duration) {
  const auto seconds = static_cast<std::uint64_t>(std::clamp(duration.count(), 0.0, 359999.0));
  if (seconds >= 3600) {
    return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string duration_text(Seconds duration) {
  const double seconds = std::max(duration.count(), 0.0);
  if (seconds < 10) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  return whole < 120 ? fmt::format("{} s", whole) : fmt::format("{} min {} s", whole / 60, whole % 60);
}

std::string progress_line(const ProgressEvent& event, Seconds elapsed, unsigned columns, bool colour) {
  const std::string stage = cut_to_width(printable(event.stage), columns);
  std::size_t room = columns - std::min<std::size_t>(columns, display_width(stage));
  // In the order of how much each is needed.
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part) {
    if (!part.empty() && display_width(part) + 2 <= room) {
      parts.push_back(part);
      room -= display_width(part) + 2;
    }
  };
  add(event.total == 0 ? clock_text(elapsed) : fmt::format("{:3.0f}%", std::floor(100 * fraction(event))));
  add(amount_text(event));
  add(time_left(event, elapsed));
  add(rate_text(event, elapsed));
  if (event.text.empty()) {
    // no words to show
  } else if (room > 12) {
    add(cut_to_width(printable(event.text), room - 2));
  }
  std::string line = stage;
  if (event.total > 0 && room >= kLeastBarWidth + 4) {
    line += "  " + bar(fraction(event), std::min(kBarWidth, room - 4), colour);
  }
  for (const std::string& part : parts) {
    line += "  " + part;
  }
  return line;
}

}  // namespace domsmith
