// Finds function bodies by their braces. No parser: good enough for sources that clang-format laid out, and tested.
#include <algorithm>
#include <cctype>

#include "tests/house/limits.h"

namespace domsmith::house {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The position behind the literal or comment that starts at `at`, or `at` where none does.
std::size_t end_of_blank(std::string_view text, std::size_t at) {
  const auto until = [&](std::string_view closing, std::size_t from) {
    const std::size_t found = text.find(closing, from);
    return found == std::string_view::npos ? text.size() : found + closing.size();
  };
  if (text.substr(at, 2) == "//") {
    return std::min(text.find('\n', at), text.size());
  }
  if (text.substr(at, 2) == "/*") {
    return until("*/", at + 2);
  }
  if (text.substr(at, 2) == "R\"" && (at == 0 || !is_word(text[at - 1]))) {
    const std::size_t open = text.find('(', at);
    return open == std::string_view::npos ? text.size()
                                          : until(")" + std::string(text.substr(at + 2, open - at - 2)) + "\"", open);
  }
  const char quote = text[at];
  const bool digit_separator = quote == '\'' && at > 0 && is_word(text[at - 1]);
  if ((quote != '"' && quote != '\'') || digit_separator) {
    return at;
  }
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != quote && text[end] != '\n') {
    end += text[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, text.size());
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.starts_with(word) && (text.size() == word.size() || !is_word(text[word.size()]));
}

// Does a '{' behind `head` (the text since the last statement) open a function's body?
bool opens_function(std::string_view head) {
  head = trim(head);
  for (const std::string_view word : {"namespace", "class", "struct", "union", "enum", "extern"}) {
    if (starts_with_word(head, word) && head.find('(') == std::string_view::npos) {
      return false;
    }
  }
  const std::size_t close = head.rfind(')');
  if (close == std::string_view::npos) {
    return false;
  }
  const std::string_view tail = trim(head.substr(close + 1));
  // "Foo() : a_(1), b_" : the brace initialises the member b_.
  const bool member_initialiser = !tail.empty() && tail.front() == ',';
  const bool first_member = !tail.empty() && tail.front() == ':' && !tail.starts_with("::");
  if ((member_initialiser || first_member) && is_word(tail.back())) {
    return false;
  }
  return tail.find('=') == std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string text) : text_(std::move(text)) {}

  std::vector<Function> functions() {
    for (std::size_t at = 0; at < text_.size(); ++at) {
      step(at);
    }
    return std::move(found_);
  }

 private:
  void step(std::size_t at) {
    switch (text_[at]) {
      case '\n':
        ++line_;
        break;
      case '(':
        ++parentheses_;
        break;
      case ')':
        --parentheses_;
        break;
      case '{':
        open(at);
        break;
      case '}':
        close(at);
        break;
      case ';':
        if (parentheses_ == 0) {
          head_ = at + 1;
        }
        break;
      case '#':
        skip_directive_ = true;
        break;
      default:
        break;
    }
    if (skip_directive_ && text_[at] == '\n' && (at == 0 || text_[at - 1] != '\\')) {
      skip_directive_ = false;
      if (body_depth_ == 0) {
        head_ = at + 1;
      }
    }
  }

  void open(std::size_t at) {
    ++depth_;
    const std::string_view head = std::string_view(text_).substr(head_, at - head_);
    if (body_depth_ == 0 && parentheses_ == 0 && opens_function(head)) {
      body_depth_ = depth_;
      current_ = {.signature = std::string(trim(head)).substr(0, 60), .line = line_, .length = 0};
      std::ranges::replace(current_.signature, '\n', ' ');
    }
    if (body_depth_ == 0 && head.find('(') == std::string_view::npos) {
      head_ = at + 1;  // a namespace, a class, an initialiser list
    }
  }

  void close(std::size_t at) {
    if (body_depth_ == depth_) {
      current_.length = line_ - current_.line + 1;
      found_.push_back(current_);
      body_depth_ = 0;
      head_ = at + 1;
    } else if (body_depth_ == 0 &&
               std::string_view(text_).substr(head_, at - head_).find('(') == std::string_view::npos) {
      head_ = at + 1;
    }
    --depth_;
  }

  std::string text_;
  std::vector<Function> found_;
  Function current_;
  std::size_t head_ = 0;  // where the current statement starts
  unsigned line_ = 1;
  int depth_ = 0;
  int body_depth_ = 0;  // the depth of the current function's braces; 0: outside of functions
  int parentheses_ = 0;
  bool skip_directive_ = false;
};

}  // namespace

std::string without_comments_and_strings(std::string_view cpp) {
  std::string text;
  text.reserve(cpp.size());
  for (std::size_t at = 0; at < cpp.size();) {
    const std::size_t end = end_of_blank(cpp, at);
    if (end == at) {
      text += cpp[at++];
      continue;
    }
    for (; at < end; ++at) {
      text += cpp[at] == '\n' ? '\n' : ' ';
    }
  }
  return text;
}

std::vector<Function> functions_of(std::string_view cpp) {
  return Scanner(without_comments_and_strings(cpp)).functions();
}

}  // namespace domsmith::house
