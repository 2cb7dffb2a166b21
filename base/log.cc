#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace domsmith {

namespace {
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("domsmith", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::off);
    made->set_pattern("%H:%M:%S.%e %l: %v");
    return made;
  }();
  return *instance;
}
}  // namespace

void set_log_level(LogLevel level) {
  logger().set_level(level == LogLevel::debug  ? spdlog::level::debug
                     : level == LogLevel::info ? spdlog::level::info
                                               : spdlog::level::off);
}

void log_info(std::string_view text) { logger().info("{}", text); }
void log_debug(std::string_view text) { logger().debug("{}", text); }

}  // namespace domsmith
