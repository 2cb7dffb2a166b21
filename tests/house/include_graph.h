// Which room may include which, and which folder alone may include a library's headers: the table of the house.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/house/source_tree.h"

namespace domsmith::house {

struct Include {
  unsigned line = 0;
  std::string target;  // what stands between the quotes or the angle brackets
  bool quoted = false;
};
std::vector<Include> includes_of(std::string_view text);

// Why `file` may not include the project's header `target`; nullopt where it may.
std::optional<std::string> room_objection(std::string_view file, std::string_view target);
// Why `file` may not include the foreign header `target`; nullopt where it may.
std::optional<std::string> library_objection(std::string_view file, std::string_view target);

std::vector<Finding> check_includes(const std::vector<SourceFile>& tree);

}  // namespace domsmith::house
