// What a TOML parser's complaint means to a person.
#pragma once

#include <optional>
#include <string>

#include "imagebuild/recipe/source_text.h"

namespace domsmith {

// Where and why the parser stopped; the column counts code points.
struct SyntaxFault {
  unsigned line = 0;
  unsigned column = 0;
  std::string description;
};

void explain_fault(const SourceText& source, const SyntaxFault& fault, Problems& problems);

// A key or table that stands twice is the one fault behind which reading can go on.
struct Duplicate {
  Place place;         // of the second one's name or header
  std::string name;    // as it is written: "size", "[image]"
  unsigned first = 0;  // the line of the first; 0: not found
};
std::optional<Duplicate> find_duplicate(const SourceText& source, const SyntaxFault& fault);

}  // namespace domsmith
