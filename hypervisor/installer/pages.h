// The three kinds of pages that a dialogue is made of.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/installer/terminal.h"

namespace domsmith {

enum class Turn { next, back };

struct PageItem {
  std::string text;
  std::string detail;  // a line below
  bool chosen = false;
};

struct ListPage {
  std::string title;
  std::vector<std::string> text;
  std::vector<PageItem> items;
  std::size_t most = 1;  // that may be chosen; at least one must be
};
Result<Turn> show_list(Terminal& terminal, ListPage& page);

struct PageField {
  std::string label;
  std::string value;
  // What is wrong with a value; "" for nothing.
  std::function<std::string(const std::string& value)> wrong = [](const std::string&) { return std::string(); };
};

struct FieldPage {
  std::string title;
  std::vector<std::string> text;
  std::vector<PageField> fields;
};
Result<Turn> show_fields(Terminal& terminal, FieldPage& page);

// `next` only when the word was typed.
struct TextPage {
  std::string title;
  std::vector<std::string> text;
  std::string question;
  std::string word;
};
Result<Turn> show_text(Terminal& terminal, const TextPage& page);

// The frame that all screens have: a title above, the keys below.
std::vector<std::string> page_frame(const Terminal& terminal, const std::string& title, std::vector<std::string> body,
                                    const std::string& keys);

}  // namespace domsmith
