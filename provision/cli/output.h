// The answer of a verb: one JSON document with --json, text for people otherwise. Progress and errors go to stderr.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "provision/cli/table.h"

namespace domsmith {

// How wide and how colourful a stream is: a terminal's size (ioctl TIOCGWINSZ, then COLUMNS, then 80), NO_COLOR,
// TERM=dumb.
TextStyle style_of(std::FILE* stream, bool no_colour);

class Output {
 public:
  Output(std::FILE* out, std::FILE* err) : out_(out), err_(err) {}

  void set_json(bool json) { json_ = json; }
  void set_no_colour(bool no_colour) { no_colour_ = no_colour; }
  // With --json and --progress=json stderr holds JSON lines only: an error is then told on stdout alone.
  void set_quiet_errors(bool quiet) { quiet_errors_ = quiet; }
  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] TextStyle style() const { return style_of(out_, no_colour_); }

  // What the verb answers; once a run. Fails where stdout cannot take it (a full disk, a closed pipe).
  Result<void> answer(const nlohmann::json& document, std::string_view text);
  Result<void> answer(const nlohmann::json& document, const Table& table, std::string_view when_empty);

  // Text for people in any case: help, the version.
  Result<void> show(std::string_view text) { return put(text); }

  // stderr: base/error_text.h's words. With --json also {"error": …} on stdout, unless an answer has been given
  // already.
  void error(const Error& error);

 private:
  Result<void> put(std::string_view text);
  std::FILE* out_;
  std::FILE* err_;
  bool json_ = false;
  bool no_colour_ = false;
  bool quiet_errors_ = false;
  bool answered_ = false;
};

}  // namespace domsmith
