#include "provision/cli/table.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <numeric>

#include "base/utf8.h"

namespace domsmith {
namespace {

constexpr std::size_t kLeastWidth = 6;  // a shrunk column keeps this much

std::size_t letter_width(const CodePoint& letter) {
  if (!letter.valid || letter.value < 0x300) {
    return 1;
  }
  // wcwidth() asks the thread's locale, and ours may be "C".
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) {
    return 1;
  }
  const locale_t before = ::uselocale(utf8);
  const int width = ::wcwidth(static_cast<wchar_t>(letter.value));
  ::uselocale(before);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::string text = cut_to_width(cell, width);
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return align == Align::right ? space + text : text + space;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint letter = next_code_point(text);
    width += letter_width(letter);
    text.remove_prefix(letter.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  if (width == 0) {
    return {};
  }
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const CodePoint letter = next_code_point(text);
    const std::size_t more = letter_width(letter);
    if (used + more > width - 1) {
      break;
    }
    used += more;
    out += text.substr(0, letter.bytes);
    text.remove_prefix(letter.bytes);
  }
  return out + "…";
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint letter = next_code_point(text);
    if (!letter.valid || letter.control()) {
      out += '?';
    } else {
      out += text.substr(0, letter.bytes);
    }
    text.remove_prefix(letter.bytes);
  }
  return out;
}

std::string folded(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = indent;
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    const std::size_t width = display_width(word);
    if (!fresh && columns > 0 && used + 1 + width > columns) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
      fresh = true;
    }
    if (!fresh) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
    fresh = false;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return out;
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) {
    cell = printable(cell);
  }
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(const TextStyle& style) const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::size_t width = display_width(columns_[column].title);
    for (const auto& cells : rows_) {
      width = std::max(width, display_width(cells[column]));
    }
    widths.push_back(width);
  }
  if (style.columns == 0 || columns_.empty()) {
    return widths;
  }
  const std::size_t gaps = column_gap * (columns_.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > style.columns) {
    std::size_t widest = columns_.size();
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (columns_[column].may_shrink && widths[column] > kLeastWidth &&
          (widest == columns_.size() || widths[column] > widths[widest])) {
        widest = column;
      }
    }
    if (widest == columns_.size()) {
      break;  // the terminal folds the rest
    }
    --widths[widest];
  }
  return widths;
}

std::string Table::text(const TextStyle& style) const {
  if (rows_.empty()) {
    return {};
  }
  const std::vector<std::size_t> width = widths(style);
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      text += (column == 0 ? "" : std::string(column_gap, ' ')) +
              padded(cell_of(column), width[column], columns_[column].align);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  const std::string titles = line([&](std::size_t column) { return columns_[column].title; });
  std::string out = style.colour ? "\x1b[1m" + titles + "\x1b[0m\n" : titles + "\n";
  for (const auto& cells : rows_) {
    out += line([&](std::size_t column) { return cells[column]; }) + "\n";
  }
  return out;
}

}  // namespace domsmith
