// A table for people: columns as wide as what they hold, folded to the terminal by shortening the widest ones.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith {

enum class Align { left, right };

struct TextStyle {
  unsigned columns = 0;  // width of the terminal; 0: as wide as it gets (a pipe, a file)
  bool colour = false;   // ANSI escapes are welcome
};

inline constexpr std::size_t column_gap = 2;  // spaces between columns

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
    // A column that may lose its end ("debian-mini…") when the terminal is narrow; the others stay whole.
    bool may_shrink = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns. Control characters are shown as '?': a cell never moves the cursor.
  void row(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // The title line and one line a row, each with a newline; "" for a table without rows.
  [[nodiscard]] std::string text(const TextStyle& style) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(const TextStyle& style) const;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Terminal columns that UTF-8 text takes (wcwidth's rules: 2 for wide letters, 0 for combining ones); bytes that are no
// UTF-8 count as one each.
std::size_t display_width(std::string_view text);
// The text cut to `width` columns, its last one "…" where something was cut.
std::string cut_to_width(std::string_view text, std::size_t width);
// Control characters (C0, DEL, C1) become '?'; newlines too.
std::string printable(std::string_view text);
// Words folded at `columns` (0: not at all), each line behind the first indented by `indent` spaces.
std::string folded(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace domsmith
