// What a person sees of an Error, and what a program reads of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace domsmith {

// The text for stderr: "FILE:LINE:COL: error: WHAT", the source line with a caret, "because" lines, the remedy.
// `colour` adds ANSI colours; `columns` > 0 folds causes and remedy at that width. Ends with a newline. Passwords of
// URLs are hidden (base/passwords.h), here and in error_json().
std::string error_text(const Error& error, bool colour = false, unsigned columns = 0);

nlohmann::json error_json(const Error& error);

// The column as people and editors count it: code points from 1, as TOML parsers do. A SourcePoint itself counts bytes.
unsigned shown_column(const SourcePoint& where);

// 0 is success; 1 the operation failed; 2 the input or the usage is wrong.
int exit_status(const Error& error);

}  // namespace domsmith
