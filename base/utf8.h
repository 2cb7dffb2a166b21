// Code points of UTF-8 (RFC 3629). A byte that belongs to none counts as one, so that every text has a length.
#pragma once

#include <cstddef>
#include <string_view>

namespace domsmith {

struct CodePoint {
  std::size_t bytes = 1;
  char32_t value = 0;
  bool valid = false;  // false: a byte that is not UTF-8 (an overlong form, a surrogate, a sequence cut short)
  // C0, DEL and C1: what may move a terminal's cursor.
  [[nodiscard]] bool control() const { return valid && (value < 0x20 || (value >= 0x7f && value < 0xa0)); }
};

// The first of a text that is not empty.
CodePoint next_code_point(std::string_view text);

std::size_t count_code_points(std::string_view text);
// The first `count` code points, and what is left without them.
std::string_view first_code_points(std::string_view text, std::size_t count);
std::string_view without_code_points(std::string_view text, std::size_t count);

bool is_utf8(std::string_view text);

}  // namespace domsmith
