#include "provision/cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/error_text.h"
#include "base/json_text.h"

namespace domsmith {
namespace {

constexpr unsigned kUsualColumns = 80;

unsigned columns_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  const char* variable = std::getenv("COLUMNS");
  unsigned columns = 0;
  if (variable != nullptr) {
    std::from_chars(variable, variable + std::strlen(variable), columns);
  }
  return columns > 0 ? columns : kUsualColumns;
}

bool set_and_not_empty(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

TextStyle style_of(std::FILE* stream, bool no_colour) {
  const int fd = ::fileno(stream);
  if (fd < 0 || ::isatty(fd) == 0) {
    return {};
  }
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
  return {.columns = columns_of(fd), .colour = !no_colour && !dumb && !set_and_not_empty("NO_COLOR")};
}

Result<void> Output::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size() || std::fflush(out_) != 0) {
    return fail_errno("cannot write the answer to standard output", errno);
  }
  return {};
}

Result<void> Output::answer(const nlohmann::json& document, std::string_view text) {
  answered_ = true;
  if (json_) {
    return put(json_text(document));
  }
  return put(text);
}

Result<void> Output::answer(const nlohmann::json& document, const Table& table, std::string_view when_empty) {
  if (table.empty()) {
    return answer(document, when_empty.empty() ? std::string() : std::string(when_empty) + "\n");
  }
  return answer(document, table.text(style()));
}

void Output::error(const Error& error) {
  if (!json_ || !quiet_errors_) {
    const TextStyle style = style_of(err_, no_colour_);
    const std::string text = error_text(error, style.colour, style.columns);
    std::fwrite(text.data(), 1, text.size(), err_);
    std::fflush(err_);
  }
  if (json_ && !answered_) {
    static_cast<void>(answer({{"error", error_json(error)}}, {}));
  }
}

}  // namespace domsmith
