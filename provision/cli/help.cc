#include "provision/cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace domsmith {
namespace {

struct Row {
  std::string left;
  std::string right;
};

constexpr std::size_t kIndent = 2;
constexpr std::size_t kLeastText = 24;  // a narrower column of words is put below its name instead

std::string heading(const std::string& text, const TextStyle& style) {
  return (style.colour ? "\x1b[1m" + text + "\x1b[0m" : text) + "\n";
}

std::string rows_text(const std::vector<Row>& rows, const TextStyle& style) {
  std::size_t left = 0;
  for (const Row& row : rows) {
    left = std::max(left, display_width(row.left));
  }
  const std::size_t text_at = kIndent + left + column_gap;
  const bool below = style.columns > 0 && text_at + kLeastText > style.columns;
  std::string out;
  for (const Row& row : rows) {
    out += std::string(kIndent, ' ') + row.left;
    if (below) {
      const std::size_t indent = 2 * kIndent;
      out += "\n" + std::string(indent, ' ') + folded(row.right, style.columns, indent);
    } else if (!row.right.empty()) {
      out += std::string(left + column_gap - display_width(row.left), ' ') + folded(row.right, style.columns, text_at);
    }
    out += "\n";
  }
  return out;
}

std::string value_word(const CLI::Option& option) {
  const std::string full_type = option.get_type_name();  // "UINT:INT in [1 - 9]" where it is checked
  const std::string type = full_type.substr(0, full_type.find(':'));
  const bool plain = type == "TEXT" || type.empty();
  if (type == "INT" || type == "UINT" || type == "FLOAT") {
    return "N";
  }
  if (!plain) {
    return type;
  }
  std::string word = option.get_lnames().empty() ? "VALUE" : option.get_lnames().front();
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return word;
}

bool is_positional(const CLI::Option& option) { return option.get_positional() && !option.nonpositional(); }

std::string option_name(const CLI::Option& option) {
  if (is_positional(option)) {
    const std::string name = option.get_name(true);
    return option.get_expected_max() > 1 ? name + "..." : name;
  }
  std::string name;
  for (const std::string& shorter : option.get_snames()) {
    name += (name.empty() ? "-" : ", -") + shorter;
  }
  for (const std::string& longer : option.get_lnames()) {
    name += (name.empty() ? "--" : ", --") + longer;
  }
  return option.get_expected_max() == 0 ? name : name + " " + value_word(option);
}

Row option_row(const CLI::Option& option) {
  std::string text = option.get_description();
  if (option.get_required() && !is_positional(option)) {
    text += " (required)";
  }
  if (!option.get_default_str().empty()) {
    text += fmt::format(" [default: {}]", option.get_default_str());
  }
  return {.left = option_name(option), .right = std::move(text)};
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

std::string options_text(const CLI::App& app, const TextStyle& style) {
  std::vector<Row> positionals;
  std::vector<Row> own;
  std::vector<Row> global;
  for (const CLI::Option* option : options_of(app)) {
    auto& rows = is_positional(*option) ? positionals : option->get_group() == kGlobalGroup ? global : own;
    rows.push_back(option_row(*option));
  }
  std::string out;
  if (!positionals.empty()) {
    out += "\n" + rows_text(positionals, style);
  }
  if (!own.empty()) {
    out += "\n" + heading("Options", style) + rows_text(own, style);
  }
  if (!global.empty()) {
    out += "\n" + heading(kGlobalGroup, style) + rows_text(global, style);
  }
  return out;
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

std::string verbs_text(const CLI::App& app, const TextStyle& style) {
  std::vector<std::string> groups;
  for (const CLI::App* verb : verbs_of(app)) {
    if (std::ranges::find(groups, verb->get_group()) == groups.end()) {
      groups.push_back(verb->get_group());
    }
  }
  std::ranges::sort(groups);  // "Commands" stands before "Nouns …"
  std::string out;
  for (const std::string& group : groups) {
    std::vector<Row> rows;
    for (const CLI::App* verb : verbs_of(app)) {
      if (verb->get_group() == group) {
        rows.push_back({.left = verb->get_name(), .right = verb->get_description()});
      }
    }
    out += "\n" + heading(group, style) + rows_text(rows, style);
  }
  return out;
}

}  // namespace

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::string usage_line(const CLI::App& app) {
  std::string line = full_name(app);
  bool optional = false;
  for (const CLI::Option* option : options_of(app)) {
    if (is_positional(*option)) {
      line += option->get_required() ? " " + option_name(*option) : " [" + option_name(*option) + "]";
    }
  }
  for (const CLI::Option* option : options_of(app)) {
    if (!is_positional(*option)) {
      optional = optional || (!option->get_required() && !option->check_lname("help"));
      line += option->get_required() ? fmt::format(" --{} {}", option->get_lnames().front(), value_word(*option)) : "";
    }
  }
  if (!verbs_of(app).empty()) {
    line += app.get_parent() == nullptr ? " COMMAND" : " VERB";
  }
  return optional ? line + " [options]" : line;
}

std::string help_text(const CLI::App& app, const TextStyle& style) {
  std::string out = folded("usage: " + usage_line(app), style.columns, 7) + "\n";
  if (!app.get_description().empty()) {
    out += "\n" + folded(app.get_description(), style.columns, 0) + "\n";
  }
  out += verbs_text(app, style) + options_text(app, style);
  if (!app.get_footer().empty()) {
    out += "\n" + app.get_footer() + "\n";
  }
  const std::string more = app.get_parent() == nullptr
                               ? "More of a command: domsmith COMMAND --help"
                               : "--root, --store, --json and others go with every command: domsmith --help";
  return out + "\n" + folded(more, style.columns, 0) + "\n";
}

}  // namespace domsmith
