// What one stage's progress looks like in words and as a bar; no terminal is needed to make it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/progress.h"

namespace domsmith {

using Seconds = std::chrono::duration<double>;

// "1.2 GiB of 2.0 GiB", "17 of 100 clones", "512 files"; "" where nothing is counted.
std::string amount_text(const ProgressEvent& event);
// "85.0 MiB/s", "12 files/s"; "" where it can't be told yet.
std::string rate_text(const ProgressEvent& event, Seconds elapsed);
// "0:07", "1:02:03".
std::string clock_text(Seconds duration);
// "0.4 s", "14 s", "3 min 20 s".
std::string duration_text(Seconds duration);

// The line of a stage, never wider than `columns`: name, bar, percent, amount, rate, time left; what has no room is
// left out, the least needed first.
std::string progress_line(const ProgressEvent& event, Seconds elapsed, unsigned columns, bool colour);

}  // namespace domsmith
