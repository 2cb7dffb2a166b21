// `domsmith --help` and `domsmith VERB --help`, laid out for the terminal's width.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "provision/cli/table.h"

namespace domsmith {

// Options whose group is "Options of every command" are shown by the program itself and only named by its verbs.
inline constexpr const char* kGlobalGroup = "Options of every command";

std::string help_text(const CLI::App& app, const TextStyle& style);
// "domsmith guest start": the app's name with its parents'.
std::string full_name(const CLI::App& app);
// One line: "domsmith clone IMAGE --name NAME [options]".
std::string usage_line(const CLI::App& app);

}  // namespace domsmith
