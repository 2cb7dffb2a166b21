// The text of an input file by lines, and the places in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "imagebuild/recipe/document.h"

namespace domsmith {

class SourceText {
 public:
  // A UTF-8 byte order mark is left out. The bytes behind `text` are copied.
  explicit SourceText(std::string_view text, unsigned file = 0);  // `file` is for its places

  [[nodiscard]] const std::string& text() const { return text_; }
  // Without "\n" or "\r\n"; "" past the end. `line` starts at 1.
  [[nodiscard]] std::string_view line(unsigned line) const;
  [[nodiscard]] std::size_t line_count() const { return starts_.size(); }
  // Where a line begins in text().
  [[nodiscard]] std::size_t line_start(unsigned line) const { return starts_.at(line - 1); }

  // The column in bytes of a column in code points (both from 1).
  [[nodiscard]] unsigned byte_column(unsigned line, unsigned code_points) const;
  // A range whose columns count code points, the end exclusive; of several lines the first only.
  [[nodiscard]] Place place(unsigned line, unsigned column, unsigned end_line, unsigned end_column) const;
  // What stands at the place.
  [[nodiscard]] std::string_view at(Place place) const;

 private:
  std::string text_;
  unsigned file_ = 0;
  std::vector<std::size_t> starts_;
  // The byte offset of every 256th code point of a line that was asked for, so that a long line costs no quadratic
  // walk; nothing for a line that is all ASCII.
  mutable std::map<unsigned, std::vector<std::size_t>> offsets_;
};

// What the TOML parser is to be spared: NUL bytes, bytes that are not UTF-8, and nesting that would exhaust the stack
// (brackets past 32 levels, keys of more than 16 parts). False, and a problem, where there is any of these.
bool check_source(const SourceText& source, Problems& problems);

// The text with '?' for each byte that is not UTF-8, for errors.
std::string only_utf8(std::string_view text);

// Cut to `limit` bytes, an ellipsis behind, for names and values in error texts.
std::string shortened(std::string_view text, std::size_t limit = 64);

}  // namespace domsmith
