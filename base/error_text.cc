#include "base/error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/passwords.h"
#include "base/utf8.h"

namespace domsmith {

namespace {

struct Paint {
  bool on;
  [[nodiscard]] std::string operator()(std::string_view code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
};

// Control characters of an input file must not reach the terminal, nor a password of a URL; a tab stays, so that the
// caret line can copy it. One code point in gives one out.
std::string printable_in_place(std::string_view text) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = next_code_point(rest);
    const bool shown = point.valid && (!point.control() || point.value == U'\t');
    out += shown ? rest.substr(0, point.bytes) : "?";
    rest.remove_prefix(point.bytes);
  }
  return out;
}

std::string printable(std::string_view text) { return printable_in_place(hide_passwords(text)); }

// At most this much of a long source line is shown, around the column.
constexpr std::size_t shown_code_points = 100;

std::string caret_lines(const SourcePoint& where, const Paint& paint) {
  const std::size_t column = shown_column(where) - 1;
  const std::size_t start = column > shown_code_points - 20 ? column - (shown_code_points - 20) : 0;
  const std::string line = printable_in_place(hide_passwords_in_place(where.text));
  const std::string_view text = first_code_points(without_code_points(line, start), shown_code_points);
  std::string lead;
  for (const char c : first_code_points(text, column - start)) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) {  // the first byte of each code point
      lead += c == '\t' ? '\t' : ' ';
    }
  }
  const std::size_t first = std::min<std::size_t>(where.column > 0 ? where.column - 1 : 0, where.text.size());
  const std::size_t wanted = count_code_points(std::string_view(where.text).substr(first, where.width));
  const std::size_t room = count_code_points(without_code_points(text, column - start));
  const std::string carets(std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(room, 1)), '^');
  std::string out = fmt::format("{:>5} | {}\n      | {}{}", where.line, text, lead, paint("32;1", carets));
  if (!where.hint.empty()) {
    out += ' ' + paint("32", printable(where.hint));
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

unsigned shown_column(const SourcePoint& where) {
  const unsigned before = where.column > 0 ? where.column - 1 : 0;
  const std::string_view inside = std::string_view(where.text).substr(0, before);
  return static_cast<unsigned>(count_code_points(inside) + (before - inside.size())) + 1;
}

std::string error_text(const Error& error, bool colour, unsigned columns) {
  const Paint paint{colour};
  std::string out;
  if (error.where) {
    const SourcePoint& where = *error.where;
    out += paint("1", where.line > 0 ? fmt::format("{}:{}:{}: ", printable(where.file), where.line, shown_column(where))
                                     : fmt::format("{}: ", printable(where.file)));
  }
  out += paint("31;1", "error:") + ' ' + printable(error.what) + '\n';
  if (error.where && error.where->line > 0) {
    out += caret_lines(*error.where, paint);
  }
  for (const std::string& cause : error.causes) {
    out += folded("  because: ", printable(cause), columns);
  }
  if (!error.remedy.empty()) {
    out += folded("  remedy: ", printable(error.remedy), columns);
  }
  for (const Error& other : error.others) {
    out += error_text(other, colour, columns);
  }
  return out;
}

nlohmann::json error_json(const Error& error) {
  static constexpr std::string_view names[] = {"failed",   "bad-input",   "not-found", "exists",     "busy",
                                               "no-space", "unsupported", "denied",    "interrupted"};
  nlohmann::json json{{"code", names[static_cast<std::size_t>(error.code)]}, {"what", hide_passwords(error.what)}};
  if (error.where) {
    json["where"] = {{"file", error.where->file},
                     {"line", error.where->line},
                     {"column", shown_column(*error.where)},
                     {"hint", hide_passwords(error.where->hint)}};
  }
  for (const std::string& cause : error.causes) {
    json["causes"].push_back(hide_passwords(cause));
  }
  if (!error.remedy.empty()) {
    json["remedy"] = hide_passwords(error.remedy);
  }
  for (const Error& other : error.others) {
    json["others"].push_back(error_json(other));
  }
  return json;
}

int exit_status(const Error& error) { return error.code == ErrorCode::bad_input ? 2 : 1; }

}  // namespace domsmith
