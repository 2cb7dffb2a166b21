// What a person can do about a domain that libxl could not create, by what it logged.
#pragma once

#include <span>
#include <string>

namespace domsmith {

// Empty where the log speaks for itself.
std::string creation_remedy(std::span<const std::string> log);

}  // namespace domsmith
