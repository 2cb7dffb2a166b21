// Fail points: named places where a test can make the process die or an operation fail.
//
// DOMSMITH_FAIL="NAME"          SIGKILL to itself at the first pass of NAME
// DOMSMITH_FAIL="NAME:3"        … at the third pass
// DOMSMITH_FAIL="NAME=error"    returns an Error there instead (NAME:3=error likewise)
// DOMSMITH_FAIL_TRACE=FILE      appends the name of each point that is passed, one a line, so that a test can visit all
#pragma once

#include <string_view>

#include "base/result.h"

namespace domsmith {

Result<void> fail_point(std::string_view name);

}  // namespace domsmith
