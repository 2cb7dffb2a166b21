#include "base/error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace domsmith {

namespace {

struct Paint {
  bool on;
  [[nodiscard]] std::string operator()(std::string_view code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

// Control characters of an input file must not reach the terminal; a tab stays, so that the caret line can copy it.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += (byte < 0x20 && c != '\t') || byte == 0x7f ? '?' : c;
  }
  return out;
}

// At most this much of a long source line is shown, around the column.
constexpr std::size_t shown_bytes = 100;

std::string caret_lines(const SourcePoint& where, const Paint& paint) {
  const std::size_t column = where.column > 0 ? where.column - 1 : 0;
  const std::size_t start = column > shown_bytes - 20 ? column - (shown_bytes - 20) : 0;
  const std::string text = printable(where.text.size() > start ? where.text.substr(start, shown_bytes) : "");
  std::string lead;
  for (std::size_t i = 0; i < std::min(column - start, text.size()); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '\t') {
      lead += '\t';
    } else if ((byte & 0xc0U) != 0x80U) {  // one column a code point, not a byte
      lead += ' ';
    }
  }
  const std::size_t room = text.size() > column - start ? text.size() - (column - start) : 1;
  const std::string carets(std::clamp<std::size_t>(where.width, 1, std::max<std::size_t>(room, 1)), '^');
  std::string out = fmt::format("{:>5} | {}\n      | {}{}", where.line, text, lead, paint("32;1", carets));
  if (!where.hint.empty()) {
    out += ' ' + paint("32", where.hint);
  }
  return out + '\n';
}

std::string folded(std::string_view lead, std::string_view text, unsigned columns) {
  std::string out;
  std::string line(lead);
  bool fresh = true;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    const std::string_view word = rest.substr(0, space);
    if (!fresh && columns > 20 && line.size() + 1 + word.size() > columns) {
      out += line + '\n';
      line.assign(lead.size(), ' ');
      fresh = true;
    }
    line += fresh ? std::string(word) : fmt::format(" {}", word);
    fresh = false;
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  }
  return out + line + '\n';
}

}  // namespace

std::string error_text(const Error& error, bool colour, unsigned columns) {
  const Paint paint{colour};
  std::string out;
  if (error.where) {
    const SourcePoint& where = *error.where;
    out += paint("1", where.line > 0 ? fmt::format("{}:{}:{}: ", where.file, where.line, where.column)
                                     : fmt::format("{}: ", where.file));
  }
  out += paint("31;1", "error:") + ' ' + printable(error.what) + '\n';
  if (error.where && error.where->line > 0) {
    out += caret_lines(*error.where, paint);
  }
  for (const std::string& cause : error.causes) {
    out += folded("  because: ", printable(cause), columns);
  }
  if (!error.remedy.empty()) {
    out += folded("  remedy: ", error.remedy, columns);
  }
  for (const Error& other : error.others) {
    out += error_text(other, colour, columns);
  }
  return out;
}

nlohmann::json error_json(const Error& error) {
  static constexpr std::string_view names[] = {"failed",   "bad-input",   "not-found", "exists",     "busy",
                                               "no-space", "unsupported", "denied",    "interrupted"};
  nlohmann::json json{{"code", names[static_cast<std::size_t>(error.code)]}, {"what", error.what}};
  if (error.where) {
    json["where"] = {{"file", error.where->file},
                     {"line", error.where->line},
                     {"column", error.where->column},
                     {"hint", error.where->hint}};
  }
  if (!error.causes.empty()) {
    json["causes"] = error.causes;
  }
  if (!error.remedy.empty()) {
    json["remedy"] = error.remedy;
  }
  for (const Error& other : error.others) {
    json["others"].push_back(error_json(other));
  }
  return json;
}

int exit_status(const Error& error) { return error.code == ErrorCode::bad_input ? 2 : 1; }

}  // namespace domsmith
