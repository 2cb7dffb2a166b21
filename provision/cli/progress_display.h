// Progress on stderr: bars on a terminal, plain lines elsewhere, JSON lines for programs.
//
// JSON lines: {"event":"begin|advance|end|note|warning","stage":…,"text":…,"done":N,"total":N,"unit":…}, empty parts
// left out. All three may be called from several threads.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace domsmith {

enum class ProgressMode { automatic, bar, plain, json, none };
std::optional<ProgressMode> parse_progress_mode(std::string_view word);  // auto, bar, plain, json, none

struct ProgressTerminal {
  std::FILE* stream = stderr;
  bool colour = false;
  // Asked before each drawing, so that a resized window is noticed. 0: not known.
  std::function<unsigned()> columns;
  std::function<std::chrono::steady_clock::time_point()> now;
};
// stderr and the real clock.
ProgressTerminal progress_terminal(bool no_colour);

// automatic: bars where the stream is a terminal, plain lines otherwise.
std::unique_ptr<Progress> make_progress(ProgressMode mode, ProgressTerminal terminal);

}  // namespace domsmith
