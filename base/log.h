// Diagnostics for whoever looks for a fault (--verbose, DOMSMITH_LOG); never part of what a verb answers.
#pragma once

#include <string_view>

namespace domsmith {

enum class LogLevel { quiet, info, debug };
void set_log_level(LogLevel level);  // to stderr
void log_info(std::string_view text);
void log_debug(std::string_view text);

}  // namespace domsmith
