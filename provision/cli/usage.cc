#include "provision/cli/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"
#include "provision/cli/help.h"
#include "provision/cli/table.h"

namespace domsmith {
namespace {

std::string see_help(const CLI::App& app) { return fmt::format("see: {} --help", full_name(app)); }

Error wrong_usage(std::string what, std::string remedy) {
  return {.code = ErrorCode::bad_input,
          .what = std::move(what),
          .where = {},
          .causes = {},
          .remedy = std::move(remedy),
          .others = {}};
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return names;
}

// "start" said to the program itself: the nouns that have such a verb.
std::vector<std::string> nouns_with(const CLI::App& top, const std::string& verb) {
  std::vector<std::string> found;
  for (const CLI::App* noun : top.get_subcommands([](const CLI::App*) { return true; })) {
    const std::vector<std::string> verbs = verbs_of(*noun);
    if (std::ranges::find(verbs, verb) != verbs.end()) {
      found.push_back(fmt::format("'{} {}'", full_name(*noun), verb));
    }
  }
  return found;
}

Error unknown_option(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::string near = nearest(name, options_of(app));
  const std::string what = fmt::format("unknown option '{}' of '{}'", printable(name), full_name(app));
  return wrong_usage(what, near.empty() ? see_help(app) : fmt::format("did you mean '{}'?", near));
}

Error unknown_verb(const CLI::App& app, const std::string& word) {
  const bool is_top = app.get_parent() == nullptr;
  const std::string what = is_top ? fmt::format("unknown command '{}'", printable(word))
                                  : fmt::format("'{}' has no verb '{}'", full_name(app), printable(word));
  if (is_top) {
    if (const std::vector<std::string> others = nouns_with(app, word); !others.empty()) {
      return wrong_usage(what, fmt::format("did you mean {}?", join(others, " or ")));
    }
  }
  const std::vector<std::string> verbs = verbs_of(app);
  const std::string near = nearest(word, verbs);
  return wrong_usage(what, !near.empty() ? fmt::format("did you mean '{} {}'?", full_name(app), near)
                           : is_top      ? see_help(app)
                                         : fmt::format("its verbs are {}", join(verbs, ", ")));
}

// CLI11's own words, put as ours are.
std::string in_our_words(const CLI::ParseError& error) {
  std::string text = error.what();
  if (error.get_name() == "RequiredError") {
    constexpr std::string_view is_required = " is required";
    if (text.ends_with(is_required)) {
      return text.substr(0, text.size() - is_required.size()) + " is missing";
    }
  }
  if (error.get_name() == "ConversionError") {
    const std::size_t colon = text.find(": ");
    const std::size_t equals = text.find(" = ");
    if (colon != std::string::npos && equals != std::string::npos && colon < equals) {
      return fmt::format("bad value '{}' for {}", printable(text.substr(equals + 3)),
                         text.substr(colon + 2, equals - colon - 2));
    }
  }
  // "--count: Value 0 not in range 1 to 100"
  if (error.get_name() == "ValidationError") {
    constexpr std::string_view value_mark = ": Value ";
    constexpr std::string_view range_mark = " not in range ";
    const std::size_t value = text.find(value_mark);
    const std::size_t range = text.rfind(range_mark);
    if (value != std::string::npos && range != std::string::npos && value < range) {
      const std::size_t from = value + value_mark.size();
      return fmt::format("bad value '{}' for {}: it is not in the range {}", printable(text.substr(from, range - from)),
                         text.substr(0, value), text.substr(range + range_mark.size()));
    }
  }
  // "--root: 1 required DIR missing"
  if (error.get_name() == "ArgumentMismatch" && text.ends_with(" missing")) {
    return fmt::format("{} needs a value", text.substr(0, text.find(':')));
  }
  if (!text.empty() && std::isupper(static_cast<unsigned char>(text.front())) != 0 &&
      (text.size() == 1 || std::isupper(static_cast<unsigned char>(text[1])) == 0)) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return printable(text);
}

}  // namespace

const CLI::App& reached(const CLI::App& top) {
  const std::vector<CLI::App*> chosen = top.get_subcommands();
  return chosen.empty() ? top : reached(*chosen.front());
}

std::optional<Error> unknown_word(const CLI::App& top) {
  std::vector<std::string> words = top.remaining(true);
  std::erase(words, "--");
  if (words.empty()) {
    return std::nullopt;
  }
  const CLI::App& app = reached(top);
  const auto option =
      std::ranges::find_if(words, [](const std::string& word) { return word.size() > 1 && word.front() == '-'; });
  if (option != words.end()) {
    return unknown_option(app, *option);
  }
  if (!verbs_of(app).empty()) {
    return unknown_verb(app, words.front());
  }
  return wrong_usage(fmt::format("'{}' does not know what to do with '{}'", full_name(app), printable(words.front())),
                     fmt::format("its usage is: {}", usage_line(app)));
}

Error usage_error(const CLI::ParseError& error, const CLI::App& top) {
  if (auto unknown = unknown_word(top)) {
    return *std::move(unknown);
  }
  return wrong_usage(in_our_words(error), fmt::format("usage: {}", usage_line(reached(top))));
}

Error verb_is_missing(const CLI::App& noun) {
  return wrong_usage(fmt::format("'{}' needs a verb", full_name(noun)),
                     fmt::format("its verbs are {}", join(verbs_of(noun), ", ")));
}

}  // namespace domsmith
