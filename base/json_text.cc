#include "base/json_text.h"

#include <nlohmann/json.hpp>

namespace domsmith {

namespace {
constexpr auto replace = nlohmann::json::error_handler_t::replace;
}

std::string json_line(const nlohmann::json& document) { return document.dump(-1, ' ', false, replace); }

std::string json_text(const nlohmann::json& document) { return document.dump(2, ' ', false, replace) + '\n'; }

}  // namespace domsmith
