#include "provision/domain/config_keys.h"

namespace domsmith {
namespace {

bool is_key_start(char c) { return c >= 'a' && c <= 'z'; }
bool is_key_part(char c) { return is_key_start(c) || (c >= '0' && c <= '9') || c == '.' || c == '_'; }

class KeyScanner {
 public:
  explicit KeyScanner(std::string_view text) : text_(text) {}

  std::vector<ConfigKey> scan() {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (is_key_start(c) && depth_ == 0) {
        take_key();
      } else if (c >= '0' && c <= '9') {
        skip_number();
      } else {
        depth_ += c == '[' ? 1 : 0;
        depth_ -= c == ']' && depth_ > 0 ? 1 : 0;
        step();
      }
    }
    return std::move(keys_);
  }

 private:
  void step() {
    if (text_[position_] == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    }
    ++position_;
  }
  void skip_comment() {
    while (position_ < text_.size() && text_[position_] != '\n') {
      step();
    }
  }
  void skip_string(char quote) {
    step();
    while (position_ < text_.size() && text_[position_] != quote) {
      if (text_[position_] == '\\' && position_ + 1 < text_.size()) {
        step();
      }
      step();
    }
    if (position_ < text_.size()) {
      step();
    }
  }
  void skip_number() {  // [0-9][0-9a-fx]*
    while (position_ < text_.size() && (is_key_part(text_[position_]))) {
      step();
    }
  }
  void take_key() {
    const auto start = position_;
    while (position_ < text_.size() && is_key_part(text_[position_])) {
      step();
    }
    keys_.push_back({.name = std::string(text_.substr(start, position_ - start)),
                     .line = line_,
                     .column = static_cast<unsigned>(start - line_start_ + 1)});
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  unsigned line_ = 1;
  int depth_ = 0;
  std::vector<ConfigKey> keys_;
};

}  // namespace

std::vector<ConfigKey> config_keys(std::string_view text) { return KeyScanner(text).scan(); }

}  // namespace domsmith
