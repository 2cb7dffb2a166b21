#include "hypervisor/installer/pages.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace domsmith {
namespace {

constexpr std::size_t first_body_row = 2;  // below the title and an empty line
constexpr std::size_t frame_rows = 4;      // title, keys, an empty line at each

// Of a list that is longer than the screen the part around the item `at`.
std::vector<std::string> list_body(const ListPage& page, std::size_t at, const std::string& complaint,
                                   std::size_t rows) {
  std::vector<std::string> items;
  std::size_t end_of_item = 0;  // of the one at hand
  for (std::size_t i = 0; i < page.items.size(); ++i) {
    const PageItem& item = page.items[i];
    items.push_back(fmt::format("{} [{}] {}", i == at ? '>' : ' ', item.chosen ? 'x' : ' ', item.text));
    if (!item.detail.empty()) {
      items.push_back("       " + item.detail);
    }
    end_of_item = i == at ? items.size() : end_of_item;
  }
  std::vector<std::string> body = page.text;
  body.push_back(complaint);
  const std::size_t room = std::max<std::size_t>(rows, body.size() + frame_rows + 2) - body.size() - frame_rows;
  const std::size_t top = end_of_item > room ? end_of_item - room : 0;
  const std::size_t bottom = std::min(items.size(), top + room);
  body.insert(body.end(), items.begin() + static_cast<std::ptrdiff_t>(top),
              items.begin() + static_cast<std::ptrdiff_t>(bottom));
  return body;
}

std::string list_complaint(const ListPage& page) {
  const auto chosen = std::ranges::count_if(page.items, &PageItem::chosen);
  if (chosen == 0) {
    return "Choose one with the space bar.";
  }
  return static_cast<std::size_t>(chosen) <= page.most ? std::string() : fmt::format("No more than {}.", page.most);
}

// Of a value that is longer than the line its end, where typing goes on.
std::string_view visible(std::string_view value, std::size_t room) {
  const std::size_t length = count_code_points(value);
  return length <= room ? value : without_code_points(value, length - room);
}

void erase_last(std::string& value) {
  const std::size_t length = count_code_points(value);
  if (length > 0) {
    value = first_code_points(value, length - 1);
  }
}

// A pasted key may be longer than anybody types; nothing sensible is longer than that.
constexpr std::size_t longest_value = 4096;

void type_into(std::string& value, const KeyPress& press) {
  if (press.key == Key::backspace) {
    erase_last(value);
  } else if (press.key == Key::text && value.size() + press.text.size() <= longest_value) {
    value += press.text;
  }
}

// Of the first `count` fields; `count` where none is wrong.
std::size_t first_wrong(const FieldPage& page, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!page.fields[i].wrong(page.fields[i].value).empty()) {
      return i;
    }
  }
  return count;
}

// Whether the key is one that goes from one to the next of `count`.
bool moves(Key key, std::size_t& at, std::size_t count) {
  at -= key == Key::up && at > 0 ? 1 : 0;
  at += key == Key::down && at + 1 < count ? 1 : 0;
  return key == Key::up || key == Key::down;
}

struct FieldView {
  std::vector<std::string> body;
  Terminal::Cursor cursor;
};

FieldView field_view(const Terminal& terminal, const FieldPage& page, std::size_t at, const std::string& complaint) {
  FieldView view{.body = page.text, .cursor = {}};
  view.body.emplace_back();
  for (std::size_t i = 0; i < page.fields.size(); ++i) {
    const std::string label = fmt::format("{} {}: ", i == at ? '>' : ' ', page.fields[i].label);
    const std::size_t room = std::max<std::size_t>(terminal.columns(), label.size() + 2) - label.size() - 1;
    const std::string_view shown = visible(page.fields[i].value, room);
    if (i == at) {
      view.cursor = {.row = first_body_row + view.body.size(), .column = label.size() + count_code_points(shown)};
    }
    view.body.push_back(fmt::format("{}{}", label, shown));
    view.body.emplace_back();
  }
  view.body.push_back(complaint);
  return view;
}

}  // namespace

std::vector<std::string> page_frame(const Terminal& terminal, const std::string& title, std::vector<std::string> body,
                                    const std::string& keys) {
  const std::size_t rows = std::max<std::size_t>(terminal.rows(), 6);
  std::vector<std::string> lines{fmt::format("domsmith - {}", title), std::string()};
  body.resize(std::min(body.size(), rows - frame_rows));
  lines.insert(lines.end(), body.begin(), body.end());
  lines.resize(rows - 1);
  lines.push_back(keys);
  return lines;
}

Result<Turn> show_list(Terminal& terminal, ListPage& page) {
  std::size_t at = 0;
  std::string complaint;
  for (;;) {
    TRY(terminal.draw(page_frame(terminal, page.title, list_body(page, at, complaint, terminal.rows()),
                                 "Up, Down: move   Space: choose   Enter: go on   Esc: back")));
    const KeyPress press = TRY(terminal.read_key());
    complaint.clear();
    if (press.key == Key::escape) {
      return Turn::back;
    }
    if (moves(press.key, at, page.items.size())) {
      continue;
    }
    if (press.key == Key::text && press.text == " ") {
      page.items[at].chosen = !page.items[at].chosen;
    } else if (press.key == Key::enter) {
      complaint = list_complaint(page);
      if (complaint.empty()) {
        return Turn::next;
      }
    }
  }
}

Result<Turn> show_fields(Terminal& terminal, FieldPage& page) {
  std::size_t at = 0;
  std::string complaint;
  for (;;) {
    const FieldView view = field_view(terminal, page, at, complaint);
    TRY(terminal.draw(page_frame(terminal, page.title, view.body, "Up, Down: move   Enter: go on   Esc: back"),
                      view.cursor));
    const KeyPress press = TRY(terminal.read_key());
    complaint.clear();
    if (press.key == Key::escape) {
      return Turn::back;
    }
    if (moves(press.key == Key::tab ? Key::down : press.key, at, page.fields.size())) {
      continue;
    }
    if (press.key == Key::enter) {
      const std::size_t wrong = first_wrong(page, at + 1);
      if (wrong > at && wrong == page.fields.size()) {
        return Turn::next;
      }
      complaint = wrong <= at ? page.fields[wrong].wrong(page.fields[wrong].value) : std::string();
      at = wrong;
    } else {
      type_into(page.fields[at].value, press);
    }
  }
}

Result<Turn> show_text(Terminal& terminal, const TextPage& page) {
  std::size_t top = 0;
  std::string typed;
  for (;;) {
    const std::size_t room = std::max<std::size_t>(terminal.rows(), 9) - 7;
    const std::size_t last = page.text.size() > room ? page.text.size() - room : 0;
    top = std::min(top, last);
    std::vector<std::string> body(
        page.text.begin() + static_cast<std::ptrdiff_t>(top),
        page.text.begin() + static_cast<std::ptrdiff_t>(std::min(top + room, page.text.size())));
    body.push_back(top < last ? "  (more: Page Down)" : "");
    body.push_back(fmt::format("{}: {}", page.question, typed));
    const Terminal::Cursor cursor{.row = first_body_row + body.size() - 1, .column = count_code_points(body.back())};
    TRY(terminal.draw(
        page_frame(terminal, page.title, body, "Up, Down, Page Up, Page Down: read   Enter: go on   Esc: back"),
        cursor));
    const KeyPress press = TRY(terminal.read_key());
    switch (press.key) {
      case Key::escape:
        return Turn::back;
      case Key::enter:
        if (typed == page.word) {
          return Turn::next;
        }
        break;
      case Key::up:
        top -= top > 0 ? 1 : 0;
        break;
      case Key::down:
        ++top;
        break;
      case Key::page_up:
        top -= std::min(top, room);
        break;
      case Key::page_down:
        top += room;
        break;
      default:
        type_into(typed, press);
    }
  }
}

}  // namespace domsmith
