#include "imagebuild/recipe/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace domsmith {

namespace {

constexpr std::size_t most_tables = 4096;    // of one [[name]]
constexpr std::size_t most_elements = 8192;  // of one list

std::string_view type_word(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a decimal number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

}  // namespace

Place place_of(const SourceText& source, const toml::source_region& region) {
  if (region.begin.line == 0) {
    return {};
  }
  return source.place(region.begin.line, region.begin.column, region.end.line, region.end.column);
}

bool variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && name.size() <= 64 && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

DocumentTable DocumentReader::read(const TableSchema& schema, const toml::table* from, const std::string& path,
                                   Place place) {
  DocumentTable table(schema);
  table.place_ = place;
  table.present_ = from != nullptr;
  const std::string header = header_text(path, schema.array);
  if (from != nullptr && schema.free_key) {
    read_free(*schema.free_key, *from, header, table);
    return table;
  }
  if (from != nullptr && !schema.profiles) {
    table.misspelt_ = find_unknown(schema, *from, header);
  }
  for (const KeySchema& key : schema.keys) {
    read_key(key, from, header, table);
  }
  for (const TableSchema& inner : schema.tables) {
    read_inner(inner, from, path, table);
  }
  return table;
}

DocumentReader::Names DocumentReader::find_unknown(const TableSchema& schema, const toml::table& from,
                                                   const std::string& header) {
  static constexpr std::size_t most_hints = 100;  // as many as are shown
  std::vector<std::pair<Place, const toml::key*>> unknown;
  for (const auto& [key, node] : from) {
    if (find_key(schema, key.str()) == nullptr && find_table(schema, key.str()) == nullptr &&
        !key.str().starts_with(stand_in)) {
      unknown.emplace_back(place_of(source_, key.source()), &key);
    }
  }
  std::ranges::sort(unknown, {}, [](const auto& one) { return std::pair(one.first.line, one.first.column); });
  Names meant;
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const auto& [place, key] = unknown[i];
    const toml::node& node = *from.get(key->str());
    const bool table = node.is_table() || node.is_array_of_tables();
    problems_.add(place, unknown_text(key->str(), table, header),
                  i < most_hints ? unknown_hint(schema, key->str(), header) : std::string{});
    if (i < most_hints) {
      meant.insert(nearest(key->str(), known_names(schema)));
    }
  }
  return meant;
}

void DocumentReader::read_free(const KeySchema& key, const toml::table& from, const std::string& header,
                               DocumentTable& table) {
  for (const auto& [name, node] : from) {
    const Place place = place_of(source_, node.source());
    const KeySchema named{.name = std::string(name.str()), .type = key.type, .check = key.check};
    const ValueContext context{.key = named, .header = header, .problems = problems_};
    if (!variable_name(name.str())) {
      problems_.add(place_of(source_, name.source()), fmt::format("bad name '{}'", shortened(name.str())),
                    "a letter first, then letters, digits, '-' and '_'");
    } else if (const auto* text = node.as_string(); text == nullptr) {
      wrong_type(context, type_word(node), source_, place);
    } else if (const auto checked = checked_string(context, text->get(), source_, place)) {
      table.free_[named.name] = std::get<std::string>(*checked);
    }
  }
}

std::optional<std::string> DocumentReader::expanded(const std::string& text, Place place) {
  if (variables_ == nullptr) {
    return text;
  }
  std::string out;
  bool good = true;
  for (std::size_t at = 0;;) {
    const std::size_t open = text.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : text.find("}}", open);
    if (close == std::string::npos) {
      out += text.substr(at);
      return good ? std::optional(out) : std::nullopt;
    }
    const std::string name = text.substr(open + 2, close - open - 2);
    if (!variable_name(name)) {
      out += text.substr(at, open + 2 - at);
      at = open + 2;
      continue;
    }
    const auto found = variables_->find(name);
    if (found == variables_->end()) {
      StringList known;
      for (const auto& [known_name, value] : *variables_) {
        known.push_back(known_name);
      }
      const std::string meant = nearest(name, known);
      problems_.add(place, fmt::format("there is no variable '{}'", name),
                    meant.empty() ? "give it a value in [variables]" : fmt::format("did you mean '{}'?", meant));
      good = false;
    } else {
      out += text.substr(at, open - at) + found->second;
    }
    at = close + 2;
  }
}

void DocumentReader::read_key(const KeySchema& key, const toml::table* from, const std::string& header,
                              DocumentTable& table) {
  DocumentTable::Field& field = table.fields_[key.name];
  const toml::node* node = from == nullptr ? nullptr : from->get(key.name);
  const ValueContext context{.key = key, .header = header, .problems = problems_};
  if (node == nullptr) {
    return;
  }
  field.written = true;
  field.key = place_of(source_, from->find(key.name)->first.source());
  field.whole = place_of(source_, node->source());
  std::optional<Value> value = read_value(context, *node, field);
  if (value) {
    field.value = std::move(*value);
    field.has = true;
  }
}

std::optional<Value> DocumentReader::read_value(const ValueContext& context, const toml::node& node,
                                                DocumentTable::Field& field) {
  const ValueType type = context.key.type;
  if (const auto* text = node.as_string()) {
    const auto meant = expanded(text->get(), field.whole);
    if (!meant) {
      return std::nullopt;
    }
    if (type == ValueType::string_or_list) {
      auto checked = checked_string(context, *meant, source_, field.whole);
      field.elements.push_back(field.whole);
      return checked ? std::optional<Value>(StringList{std::get<std::string>(*checked)}) : std::nullopt;
    }
    if (type == ValueType::string || type == ValueType::size || type == ValueType::mode) {
      return value_of_string(context, *meant, source_, field.whole);
    }
  }
  if (const auto* number = node.as_integer()) {
    if (type == ValueType::integer || type == ValueType::size || type == ValueType::mode) {
      const bool octal = (number->flags() & toml::value_flags::format_as_octal) != toml::value_flags::none;
      return value_of_integer(context, number->get(), octal, field.whole);
    }
  }
  if (const auto* truth = node.as_boolean(); truth != nullptr && type == ValueType::boolean) {
    return truth->get();
  }
  if (const auto* array = node.as_array(); array != nullptr && is_list(type)) {
    return read_list(context, *array, field);
  }
  wrong_type(context, type_word(node), source_, field.whole);
  return std::nullopt;
}

std::optional<Value> DocumentReader::read_list(const ValueContext& context, const toml::array& array,
                                               DocumentTable::Field& field) {
  if (array.size() > most_elements) {
    problems_.add(field.whole, fmt::format("'{}' has more than {} elements", context.key.name, most_elements));
    return std::nullopt;
  }
  StringList list;
  bool good = true;
  for (const toml::node& element : array) {
    const Place place = place_of(source_, element.source());
    field.elements.push_back(place);
    const auto* text = element.as_string();
    if (text == nullptr) {
      wrong_element(context, type_word(element), source_, place);
      good = false;
      continue;
    }
    const auto meant = expanded(text->get(), place);
    auto checked = meant ? checked_string(context, *meant, source_, place) : std::nullopt;
    good = good && checked.has_value();
    list.push_back(meant.value_or(""));
  }
  if (good && static_cast<std::int64_t>(list.size()) < context.key.minimum.value_or(0)) {
    problems_.add(field.whole, fmt::format("'{}'{} has {} elements, fewer than {}", context.key.name,
                                           in_table(context.header), list.size(), *context.key.minimum));
    return std::nullopt;
  }
  return good ? std::optional<Value>(std::move(list)) : std::nullopt;
}

void DocumentReader::read_inner(const TableSchema& inner, const toml::table* from, const std::string& path,
                                DocumentTable& table) {
  const std::string inner_path = path.empty() ? inner.name : path + "." + inner.name;
  const toml::node* node = from == nullptr ? nullptr : from->get(inner.name);
  const Place key = node == nullptr ? Place{} : place_of(source_, from->find(inner.name)->first.source());
  const std::string header = header_text(inner_path, inner.array);
  if (inner.array && node != nullptr) {
    read_array(inner, *node, inner_path, key, table);
  } else if (node != nullptr && !node->is_table()) {
    const bool lists = node->is_array_of_tables();
    problems_.add(key,
                  fmt::format("'{}' is {}, not a table", inner.name, lists ? "a list of tables" : type_word(*node)),
                  fmt::format("write {}", header));
    table.misspelt_.insert(inner.name);
    node = nullptr;
  }
  if (!inner.array) {
    const toml::table* values = node == nullptr ? nullptr : node->as_table();
    table.tables_[inner.name] = read(inner, values, inner_path, values == nullptr ? key : header_place(*values, key));
  }
}

void DocumentReader::read_array(const TableSchema& inner, const toml::node& node, const std::string& path, Place key,
                                DocumentTable& table) {
  const auto* array = node.as_array();
  if (array == nullptr) {
    problems_.add(key, fmt::format("'{}' is {}, not a list of tables", inner.name, type_word(node)),
                  fmt::format("write [[{}]]", path));
    return;
  }
  if (array->size() > most_tables) {
    problems_.add(key, fmt::format("[[{}]] stands more than {} times", path, most_tables));
    return;
  }
  std::vector<DocumentTable>& items = table.arrays_[inner.name].items;
  for (const toml::node& element : *array) {
    const Place place = place_of(source_, element.source());
    if (const auto* values = element.as_table()) {
      items.push_back(read(inner, values, path, place));
    } else {
      problems_.add(place, fmt::format("an element of '{}' is {}, not a table", inner.name, type_word(element)),
                    fmt::format("write [[{}]]", path));
    }
  }
}

Place DocumentReader::header_place(const toml::table& table, Place key) const {
  const Place place = place_of(source_, table.source());
  return place.line == 0 ? key : place;
}

}  // namespace domsmith
