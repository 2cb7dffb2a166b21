// A terminal as a dialogue needs it: whole screens out, keys in. Plain termios(3) and ECMA-48 sequences, which the
// Linux console and every terminal behind a serial port know; no terminfo, no library.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace domsmith {

enum class Key { text, enter, escape, backspace, tab, up, down, left, right, page_up, page_down, other };

struct KeyPress {
  Key key = Key::other;
  std::string text;  // of Key::text: what was typed or pasted, at least one byte
};

class Terminal {
 public:
  // Takes the terminal of `fd` (both ways) until the end; the descriptor stays the caller's. unsupported: it is no
  // terminal.
  static Result<Terminal> take(int fd);
  Terminal(Terminal&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), before_(other.before_), rest_(std::move(other.rest_)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  // 24 and 80 where nobody knows, as behind a serial port.
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t columns() const;

  struct Cursor {
    std::size_t row = 0;
    std::size_t column = 0;
  };
  // The whole screen anew; what is too long or too much is cut, control characters become '?'. Without a cursor none
  // is shown.
  Result<void> draw(const std::vector<std::string>& lines, std::optional<Cursor> cursor = {});
  // Waits for one. failed: the terminal is gone.
  Result<KeyPress> read_key();

 private:
  Terminal(int fd, const termios& before) : fd_(fd), before_(before) {}
  Result<bool> read_more(int milliseconds);  // -1: until something comes; false: nothing came
  int fd_ = -1;
  termios before_{};
  std::string rest_;  // read, and no key yet
};

// What is at the front of `bytes`, which are taken away; `bytes` is not empty. A lone ESC is the key.
KeyPress take_key(std::string& bytes);

}  // namespace domsmith
