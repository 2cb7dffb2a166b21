// The one place where JSON becomes text. Names of files and what programs say may be no UTF-8, which JSON cannot hold:
// such bytes become U+FFFD, where nlohmann's dump() by itself would throw.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace domsmith {

std::string json_line(const nlohmann::json& document);  // no newline at its end
std::string json_text(const nlohmann::json& document);  // indented, for people too; ends with a newline

}  // namespace domsmith
