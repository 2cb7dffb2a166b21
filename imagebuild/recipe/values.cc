#include "imagebuild/recipe/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace domsmith {

namespace {

std::string key_text(const ValueContext& context) {
  return fmt::format("'{}'{}", context.key.name, in_table(context.header));
}

std::string example_hint(const KeySchema& key) {
  return key.example.empty() ? std::string{} : fmt::format("for example {} = {}", key.name, key.example);
}

// The part of a string that a check complains of; the whole of it where escapes or several lines move its bytes.
Place part_place(const SourceText& source, Place place, const std::string& text, const Complaint& complaint) {
  const bool plain = source.at(place).size() == text.size() + 2;
  if (complaint.width == 0 || !plain) {
    return place;
  }
  return {.line = place.line,
          .column = place.column + 1 + static_cast<unsigned>(complaint.offset),
          .width = static_cast<unsigned>(complaint.width)};
}

std::string choice_hint(const std::string& text, const std::vector<std::string>& choices) {
  const std::string meant = nearest(text, choices);
  return meant.empty() ? fmt::format("one of {}", join(choices, ", ")) : fmt::format("did you mean '{}'?", meant);
}

std::string limit_text(const ValueContext& context, std::int64_t number) {
  return context.key.type == ValueType::size ? exact_size_text(number) : std::to_string(number);
}

std::optional<Value> in_range(const ValueContext& context, std::int64_t number, Place place) {
  const KeySchema& key = context.key;
  const auto complain = [&](std::string_view than, std::int64_t limit, std::string_view hint) -> std::optional<Value> {
    context.problems.add(place,
                         fmt::format("{} is {}, {} {}", key_text(context), limit_text(context, number), than,
                                     limit_text(context, limit)),
                         fmt::format("{} {}", hint, limit_text(context, limit)));
    return std::nullopt;
  };
  if (key.minimum && number < *key.minimum) {
    return complain("less than", *key.minimum, "at least");
  }
  if (key.maximum && number > *key.maximum) {
    return complain("more than", *key.maximum, "at most");
  }
  if (key.type == ValueType::size && number % key.multiple != 0) {
    return complain("no multiple of", key.multiple, "whole multiples of");
  }
  return number;
}

std::optional<Value> size_of_string(const ValueContext& context, const std::string& text, Place place) {
  const std::string& word = context.key.word;
  if (!word.empty() && text == word) {
    return std::int64_t{0};
  }
  const auto bytes = parse_size(text);
  if (!bytes || *bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    context.problems.add(place, fmt::format("bad size '{}' for {}", shortened(text), key_text(context)),
                         fmt::format("a number and a unit: \"2GiB\", \"512MiB\", \"64KiB\"{}",
                                     word.empty() ? std::string() : fmt::format(", or \"{}\"", word)));
    return std::nullopt;
  }
  return in_range(context, static_cast<std::int64_t>(*bytes), place);
}

std::optional<Value> mode_of_string(const ValueContext& context, const std::string& text, Place place) {
  const bool octal = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
  if (!octal || text.size() < 3 || text.size() > 5 || (text.size() == 5 && text[0] != '0')) {
    context.problems.add(place, fmt::format("bad mode '{}' for {}", shortened(text), key_text(context)),
                         "three or four octal digits: \"0644\"");
    return std::nullopt;
  }
  return std::int64_t{std::stoi(text, nullptr, 8)};
}

}  // namespace

bool is_list(ValueType type) { return type == ValueType::string_list || type == ValueType::string_or_list; }

std::string_view type_words(ValueType type) {
  static constexpr std::array<std::string_view, 7> words{
      "a string", "an integer", "a boolean", "a size", "a mode", "a list of strings", "a string or a list of strings"};
  return words.at(static_cast<std::size_t>(type));
}

std::string header_text(const std::string& path, bool array) {
  return path.empty() ? path : fmt::format(fmt::runtime(array ? "[[{}]]" : "[{}]"), path);
}

std::string in_table(const std::string& header) { return header.empty() ? std::string{} : " in " + header; }

std::optional<Value> value_of_string(const ValueContext& context, const std::string& text, const SourceText& source,
                                     Place place) {
  if (context.key.type == ValueType::size) {
    return size_of_string(context, text, place);
  }
  if (context.key.type == ValueType::mode) {
    return mode_of_string(context, text, place);
  }
  return checked_string(context, text, source, place);
}

std::optional<Value> checked_string(const ValueContext& context, const std::string& text, const SourceText& source,
                                    Place place) {
  const KeySchema& key = context.key;
  if (text.find('\0') != std::string::npos) {
    context.problems.add(place, fmt::format("a NUL character in {}", key_text(context)));
    return std::nullopt;
  }
  if (!key.choices.empty() && std::ranges::find(key.choices, text) == key.choices.end()) {
    context.problems.add(place, fmt::format("bad value '{}' for {}", shortened(text), key_text(context)),
                         choice_hint(text, key.choices));
    return std::nullopt;
  }
  if (!is_list(key.type) && key.maximum && static_cast<std::int64_t>(text.size()) > *key.maximum) {
    context.problems.add(place, fmt::format("{} is {} bytes long", key_text(context), text.size()),
                         fmt::format("at most {} bytes", *key.maximum));
    return std::nullopt;
  }
  if (const auto complaint = key.check ? key.check(text) : std::nullopt) {
    context.problems.add(part_place(source, place, text, *complaint), complaint->what, complaint->hint);
    return std::nullopt;
  }
  return text;
}

std::optional<Value> value_of_integer(const ValueContext& context, std::int64_t number, bool octal, Place place) {
  if (context.key.type != ValueType::mode) {
    return in_range(context, number, place);
  }
  if (!octal || number < 0 || number > 07777) {
    context.problems.add(place,
                         octal ? fmt::format("{} is not between 0o000 and 0o7777", key_text(context))
                               : fmt::format("{} is a decimal number", key_text(context)),
                         "write \"0644\" or 0o644");
    return std::nullopt;
  }
  return number;
}

void wrong_type(const ValueContext& context, std::string_view found, const SourceText& source, Place place) {
  std::string hint = example_hint(context.key);
  const std::string written = shortened(source.at(place), 40);
  if (context.key.type == ValueType::string && found != "a list" && found != "a table") {
    hint = fmt::format("text stands in quotes: \"{}\"", written);
  } else if (context.key.type == ValueType::string_list && found == "a string") {
    hint = fmt::format("a list stands in brackets: [{}]", written);
  } else if (context.key.type == ValueType::boolean) {
    hint = "true or false, without quotes";
  }
  context.problems.add(place, fmt::format("{} is {}, not {}", key_text(context), found, type_words(context.key.type)),
                       hint);
}

void wrong_element(const ValueContext& context, std::string_view found, const SourceText& source, Place place) {
  const bool simple = found != "a list" && found != "a table";
  context.problems.add(
      place, fmt::format("an element of {} is {}, not a string", key_text(context), found),
      simple ? fmt::format("text stands in quotes: \"{}\"", shortened(source.at(place), 40)) : std::string{});
}

std::string unknown_text(std::string_view name, bool table, const std::string& header) {
  if (header.empty()) {
    return fmt::format(fmt::runtime(table ? "unknown table [{}]" : "unknown key '{}' outside of all tables"),
                       shortened(name));
  }
  return fmt::format("unknown {} '{}' in {}", table ? "table" : "key", shortened(name), header);
}

StringList known_names(const TableSchema& schema) {
  StringList names;
  names.reserve(schema.keys.size() + schema.tables.size());
  for (const KeySchema& key : schema.keys) {
    names.push_back(key.name);
  }
  for (const TableSchema& table : schema.tables) {
    names.push_back(table.name);
  }
  return names;
}

std::string unknown_hint(const TableSchema& schema, std::string_view name, const std::string& header) {
  const StringList known = known_names(schema);
  if (const std::string meant = nearest(name, known); !meant.empty()) {
    return fmt::format("did you mean '{}'?", meant);
  }
  if (header.empty()) {  // a key that slipped out of its table
    for (const TableSchema& table : schema.tables) {
      if (find_key(table, name) != nullptr) {
        return fmt::format(fmt::runtime(table.array ? "it belongs in [[{}]]" : "it belongs in [{}]"), table.name);
      }
    }
  }
  return fmt::format("known here: {}", join(known, ", "));
}

std::string exact_size_text(std::int64_t bytes) {
  static constexpr std::array<std::pair<std::string_view, int>, 4> units{
      {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
  for (const auto& [name, shift] : units) {
    const std::int64_t unit = std::int64_t{1} << shift;
    if (bytes != 0 && bytes % unit == 0) {
      return fmt::format("{}{}", bytes / unit, name);
    }
  }
  return std::to_string(bytes);
}

std::string mode_text(std::int64_t mode) { return fmt::format("{:04o}", mode); }

}  // namespace domsmith
