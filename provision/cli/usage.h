// What a person who mistyped a command is told.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "base/result.h"

namespace domsmith {

// The app that the parsed words led to: a verb, a noun without its verb, or the program.
const CLI::App& reached(const CLI::App& top);

// bad_input for a word or option that no command has, with the nearest one; nullopt where everything was understood.
std::optional<Error> unknown_word(const CLI::App& top);

// bad_input for a parse that CLI11 gave up.
Error usage_error(const CLI::ParseError& error, const CLI::App& top);

// bad_input for a noun without a verb.
Error verb_is_missing(const CLI::App& noun);

}  // namespace domsmith
