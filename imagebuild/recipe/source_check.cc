// What a text is refused for before the TOML parser sees it: see source_text.h.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "imagebuild/recipe/source_text.h"

namespace domsmith {

namespace {

constexpr int depth_limit = 32;
constexpr int parts_limit = 16;

// The length of the UTF-8 sequence at the front; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const CodePoint point = next_code_point(text);
  return point.valid ? point.bytes : 0;
}

bool check_bytes(const SourceText& source, Problems& problems) {
  for (unsigned number = 1; number <= source.line_count(); ++number) {
    const std::string_view line = source.line(number);
    for (std::size_t i = 0; i < line.size();) {
      const std::size_t length = line[i] == '\0' ? 0 : sequence_length(line.substr(i));
      if (length == 0) {
        const auto byte = static_cast<unsigned char>(line[i]);
        problems.add(
            {.line = number, .column = static_cast<unsigned>(i) + 1, .width = 1},
            byte == 0 ? std::string("a NUL byte in a text file") : fmt::format("byte 0x{:02x} is not UTF-8", byte),
            byte == 0 ? "is this a TOML file?" : "save the file as UTF-8");
        return false;
      }
      i += length;
    }
  }
  return true;
}

// Walks the text as a TOML lexer does: strings and comments are skipped, brackets and the dots of keys counted. Where
// the text is no TOML the two may part ways, but there the parser stops, too.
class NestingWalk {
 public:
  explicit NestingWalk(std::string_view text) : text_(text) {}

  // The offset of what is nested too deeply.
  std::optional<std::size_t> too_deep() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      count(c);
      if (depth_ > depth_limit || parts_ > parts_limit) {
        return at_;
      }
      ++at_;
    }
    return std::nullopt;
  }

 private:
  void count(char c) {
    if (c == '[' || c == '{') {
      ++depth_;
    } else if (c == ']' || c == '}') {
      depth_ = std::max(depth_ - 1, 0);
    }
    if (c == '.') {
      ++parts_;
    } else if (std::string_view("[]{}=,\n").find(c) != std::string_view::npos) {
      parts_ = 1;
    }
  }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool several_lines = text_.substr(at_).starts_with(triple);
    at_ += several_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        at_ += 2;
      } else if (several_lines && text_.substr(at_).starts_with(triple)) {
        at_ += 3;
        while (at_ < text_.size() && text_[at_] == quote) {  // up to two quotes may stand before the closing three
          ++at_;
        }
        return;
      } else if (!several_lines && (c == quote || c == '\n')) {
        ++at_;
        return;
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int parts_ = 1;
};

}  // namespace

std::string only_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    out += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

bool check_source(const SourceText& source, Problems& problems) {
  if (!check_bytes(source, problems)) {
    return false;
  }
  if (const auto offset = NestingWalk(source.text()).too_deep()) {
    unsigned line = 1;
    while (line < source.line_count() && source.line_start(line + 1) <= *offset) {
      ++line;
    }
    problems.add({.line = line, .column = static_cast<unsigned>(*offset - source.line_start(line)) + 1, .width = 1},
                 "nested too deeply",
                 fmt::format("at most {} levels of brackets, {} parts of a key", depth_limit, parts_limit));
    return false;
  }
  return true;
}

}  // namespace domsmith
