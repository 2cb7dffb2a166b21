// The sources of the house as a value: what is checked here is text, no compiler needed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith::house {

struct SourceFile {
  std::string path;  // from the repository's root, "base/fd.cc"
  std::string text;
  bool executable = false;
};

// All files below `root` that belong to the repository: no build/, no dot folders but .ci/; files over 1 MiB and binary
// ones are left out.
Result<std::vector<SourceFile>> read_source_tree(const std::filesystem::path& root);

bool has_suffix(const SourceFile& file, std::string_view suffix);
bool is_cpp(const SourceFile& file);  // .cc or .h

struct Finding {
  std::string path;
  unsigned line = 0;  // 0: the whole file
  std::string text;
};
// "path:line: text", one a line.
std::string describe(const std::vector<Finding>& findings);

}  // namespace domsmith::house
