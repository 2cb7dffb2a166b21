#include "hypervisor/installer/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "provision/cli/table.h"

namespace domsmith {
namespace {

constexpr int escape_wait = 200;  // ms until an ESC is a key of its own: a slow machine's serial port takes its time
constexpr char escape = '\x1b';

winsize size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    size.ws_row = 24;
    size.ws_col = 80;
  }
  return size;
}

// ECMA-48, 5.4: parameters, then one final byte.
std::size_t sequence_length(std::string_view bytes) {
  if (bytes.size() < 2 || (bytes[1] != '[' && bytes[1] != 'O')) {
    return 1;
  }
  std::size_t at = 2;
  while (at < bytes.size() && (bytes[at] < '@' || bytes[at] > '~')) {
    ++at;
  }
  return std::min(at + 1, bytes.size());
}

KeyPress key_of_sequence(std::string_view sequence) {
  constexpr std::array<std::pair<std::string_view, Key>, 6> known{{{"A", Key::up},
                                                                   {"B", Key::down},
                                                                   {"C", Key::right},
                                                                   {"D", Key::left},
                                                                   {"5~", Key::page_up},
                                                                   {"6~", Key::page_down}}};
  for (const auto& [end, key] : known) {
    if (sequence.substr(2) == end) {
      return {.key = key, .text = {}};
    }
  }
  return {};
}

Key control_key(char c) {
  switch (c) {
    case '\r':
    case '\n':
      return Key::enter;
    case '\t':
      return Key::tab;
    case '\x7f':
    case '\b':
      return Key::backspace;
    default:
      return Key::other;
  }
}

bool is_text(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7f'; }

}  // namespace

KeyPress take_key(std::string& bytes) {
  KeyPress press;
  std::size_t used = 1;
  if (bytes[0] == escape) {
    used = sequence_length(bytes);
    press =
        used == 1 ? KeyPress{.key = Key::escape, .text = {}} : key_of_sequence(std::string_view(bytes).substr(0, used));
  } else if (is_text(bytes[0])) {
    used = static_cast<std::size_t>(std::ranges::find_if_not(bytes, is_text) - bytes.begin());
    press = {.key = Key::text, .text = bytes.substr(0, used)};
  } else {
    press.key = control_key(bytes[0]);
  }
  bytes.erase(0, used);
  return press;
}

Result<Terminal> Terminal::take(int fd) {
  termios before{};
  if (::tcgetattr(fd, &before) != 0) {
    return fail(ErrorCode::unsupported, "this is no terminal",
                "give an answer file: domsmith host install --answer FILE");
  }
  termios raw = before;
  ::cfmakeraw(&raw);
  raw.c_lflag |= ISIG;  // Ctrl-C leaves
  ::tcsetattr(fd, TCSADRAIN, &raw);
  return Terminal(fd, before);
}

Terminal::~Terminal() {
  if (fd_ >= 0) {
    static_cast<void>(write_all(fd_, "\x1b[0m\x1b[2J\x1b[H\x1b[?25h"));
    ::tcsetattr(fd_, TCSADRAIN, &before_);
  }
}

std::size_t Terminal::rows() const { return size_of(fd_).ws_row; }
std::size_t Terminal::columns() const { return size_of(fd_).ws_col; }

Result<void> Terminal::draw(const std::vector<std::string>& lines, std::optional<Cursor> cursor) {
  const std::size_t most = rows();
  std::string screen = "\x1b[?25l\x1b[H";
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) {
    // Names come from disks and cards as their makers wrote them.
    screen += first_code_points(printable(lines[i]), columns());
    screen += i + 1 < most ? "\x1b[K\r\n" : "\x1b[K";  // a line feed on the last one would scroll
  }
  screen += "\x1b[J";
  if (cursor) {
    screen += fmt::format("\x1b[{};{}H\x1b[?25h", cursor->row + 1, cursor->column + 1);
  }
  return write_all(fd_, screen);
}

Result<bool> Terminal::read_more(int milliseconds) {
  pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&wanted, 1, milliseconds);
  TRY(check_interrupted());
  if (ready == 0) {
    return false;
  }
  std::array<char, 4096> piece{};
  const ssize_t count = ready < 0 ? -1 : ::read(fd_, piece.data(), piece.size());
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
    return fail(ErrorCode::failed, "the terminal is gone");
  }
  rest_.append(piece.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  return true;
}

Result<KeyPress> Terminal::read_key() {
  while (rest_.empty()) {
    TRY(read_more(-1));
  }
  // The rest of a sequence may still be on its way.
  while (rest_[0] == escape && (rest_.size() == 1 || (rest_.size() == 2 && sequence_length(rest_) == 2))) {
    if (!TRY(read_more(escape_wait))) {
      break;
    }
  }
  return take_key(rest_);
}

}  // namespace domsmith
