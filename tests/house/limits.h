// The limits that keep files readable, and the small rules that a reviewer would otherwise have to remember.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/house/source_tree.h"

namespace domsmith::house {

constexpr unsigned kMaxFileLines = 500;
constexpr unsigned kMaxFunctionLines = 70;

struct Function {
  std::string signature;  // one line, shortened
  unsigned line = 0;      // of its opening brace
  unsigned length = 0;    // lines from the opening to the closing brace, both counted
};
// The outermost function bodies of a C++ source, lambdas and local classes being part of theirs.
std::vector<Function> functions_of(std::string_view cpp);
// The source with comments, strings and character literals blanked, line breaks kept.
std::string without_comments_and_strings(std::string_view cpp);

std::vector<Finding> check_lengths(const std::vector<SourceFile>& tree);
// Marks of unfinished work.
std::vector<Finding> check_words(const std::vector<SourceFile>& tree);
// #pragma once, and a comment on top that says what the header is for.
std::vector<Finding> check_headers(const std::vector<SourceFile>& tree);
// Scripts (a "#!" line, in script/, .ci/, tests/, hypervisor/ or iso/) can be run.
std::vector<Finding> check_scripts(const std::vector<SourceFile>& tree);
// No path of one developer's machine.
std::vector<Finding> check_paths(const std::vector<SourceFile>& tree);
// Only the top-level folders that the design names.
std::vector<Finding> check_top_level(const std::vector<SourceFile>& tree);

}  // namespace domsmith::house
