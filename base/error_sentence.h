// An Error in one line, for tables and logs.
#pragma once

#include <string>

#include "base/result.h"

namespace domsmith {

// "WHAT: CAUSE: CAUSE", without a remedy. Passwords in URLs are hidden (base/passwords.h).
std::string error_sentence(const Error& error);

}  // namespace domsmith
