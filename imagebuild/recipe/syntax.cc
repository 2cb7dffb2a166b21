#include "imagebuild/recipe/syntax.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace domsmith {

namespace {

constexpr std::string_view blanks = " \t";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// "Error while parsing key-value pair: expected value" -> "expected value"
std::string_view without_context(std::string_view description) {
  if (description.starts_with("Error while parsing ")) {
    const auto colon = description.find(": ");
    return colon == std::string_view::npos ? description : description.substr(colon + 2);
  }
  return description;
}

// The word (no blank, comma or bracket in it) that holds the column or ends right before it.
Place word_around(std::string_view line, Place at) {
  static constexpr std::string_view ends = " \t,=[]{}#\"'";
  std::size_t begin = std::min<std::size_t>(at.column - 1, line.size());
  std::size_t end = begin;
  while (begin > 0 && ends.find(line[begin - 1]) == std::string_view::npos) {
    --begin;
  }
  while (end < line.size() && ends.find(line[end]) == std::string_view::npos) {
    ++end;
  }
  if (begin == end) {
    return at;
  }
  return {.line = at.line, .column = static_cast<unsigned>(begin) + 1, .width = static_cast<unsigned>(end - begin)};
}

// The place of `name` at `begin` of a line, blanks around it left out.
Duplicate named(unsigned number, std::string_view line, std::size_t begin, std::size_t end) {
  while (begin < end && blanks.find(line[begin]) != std::string_view::npos) {
    ++begin;
  }
  while (end > begin && blanks.find(line[end - 1]) != std::string_view::npos) {
    --end;
  }
  return {.place = {.line = number,
                    .column = static_cast<unsigned>(begin) + 1,
                    .width = static_cast<unsigned>(end - begin)},
          .name = std::string(line.substr(begin, end - begin)),
          .first = 0};
}

// Where the key that ends before `equals` begins: in an inline table behind '{' or ',', else at the line's start.
std::size_t key_start(std::string_view line, std::size_t equals) {
  std::size_t begin = line.find_last_not_of(blanks, equals - 1);
  begin = begin == std::string_view::npos ? 0 : begin;
  if (const char quote = line[begin]; (quote == '"' || quote == '\'') && begin > 0) {
    const auto opening = line.rfind(quote, begin - 1);
    begin = opening == std::string_view::npos ? 0 : opening;
  }
  while (begin > 0 && line[begin - 1] != ',' && line[begin - 1] != '{') {
    --begin;
  }
  return begin;
}

// The nearest line above that sets the same key in the same table, or opens the same table.
unsigned first_line(const SourceText& source, const Duplicate& duplicate) {
  const bool header = duplicate.name.starts_with('[');
  for (unsigned number = duplicate.place.line - 1; number > 0; --number) {
    const std::string line = trimmed(source.line(number));
    if (header ? line.starts_with(duplicate.name)
               : line.starts_with(duplicate.name) && trimmed(line.substr(duplicate.name.size())).starts_with('=')) {
      return number;
    }
    if (!header && line.starts_with('[')) {
      return 0;
    }
  }
  return 0;
}

}  // namespace

std::optional<Duplicate> find_duplicate(const SourceText& source, const SyntaxFault& fault) {
  const std::string_view line = source.line(fault.line);
  if (!contains(fault.description, "cannot redefine existing") || line.empty()) {
    return std::nullopt;
  }
  const std::size_t at = std::min<std::size_t>(source.byte_column(fault.line, fault.column) - 1, line.size());
  const std::size_t start = line.find_first_not_of(blanks);
  std::optional<Duplicate> found;
  if (contains(fault.description, "table header")) {
    const std::size_t end = line.find_last_of(']', line.find('#'));
    if (start == std::string_view::npos || end == std::string_view::npos || end < start) {
      return std::nullopt;
    }
    found = named(fault.line, line, start, end + 1);
  } else {
    const std::size_t before = at == 0 ? std::string_view::npos : line.find_last_not_of(blanks, at - 1);
    const bool behind_equals = before != std::string_view::npos && line[before] == '=';
    const std::size_t equals = behind_equals ? before : line.find('=', at);
    if (equals == std::string_view::npos || equals == 0) {
      return std::nullopt;
    }
    const std::size_t begin = key_start(line, equals);
    found = named(fault.line, line, begin, equals);
  }
  found->first = first_line(source, *found);
  return found;
}

void explain_fault(const SourceText& source, const SyntaxFault& fault, Problems& problems) {
  const std::string_view line = source.line(fault.line);
  const auto behind = static_cast<unsigned>(line.size()) + 1;
  const Place at{
      .line = fault.line, .column = std::min(source.byte_column(fault.line, fault.column), behind), .width = 1};
  const std::string_view reason = without_context(fault.description);
  if (contains(reason, "could not determine value type")) {
    problems.add(word_around(line, at), "not valid TOML: this is no value", "text stands in quotes: \"…\"");
  } else if (contains(reason, "unescaped control characters") && at.column > line.size()) {
    problems.add(at, "not valid TOML: the string does not end on its line", "a quote is missing");
  } else if (contains(reason, "unescaped control characters")) {
    problems.add(at, "not valid TOML: a control character in a string", "write it as \\u00XX");
  } else if (contains(reason, "not representable") || contains(reason, "could not be interpreted")) {
    problems.add(word_around(line, at), "not valid TOML: this number is out of range", {});
  } else if (contains(reason, "end-of-file")) {
    problems.add(at, "not valid TOML: the file ends in the middle", {});
  } else {
    problems.add(at, fmt::format("not valid TOML: {}", shortened(reason, 200)), {});
  }
}

}  // namespace domsmith
