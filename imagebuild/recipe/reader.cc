// toml++'s tree against the schema: the only file that knows toml++.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/source_text.h"
#include "imagebuild/recipe/syntax.h"
#include "imagebuild/recipe/values.h"

namespace domsmith {

namespace {

constexpr std::size_t most_tables = 4096;    // of one [[name]]
constexpr std::size_t most_elements = 8192;  // of one list
constexpr int most_duplicates = 20;
constexpr std::string_view stand_in = "domsmith duplicate ";  // the name that the second of two keys gets

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

Place place_of(const SourceText& source, const toml::source_region& region) {
  if (region.begin.line == 0) {
    return {};
  }
  return source.place(region.begin.line, region.begin.column, region.end.line, region.end.column);
}

// "[image]", "[[user]]", "[system.services]"; "" for the root.
std::string header_text(const std::string& path, bool array) {
  return path.empty() ? path : fmt::format(fmt::runtime(array ? "[[{}]]" : "[{}]"), path);
}

}  // namespace

class DocumentReader {
 public:
  DocumentReader(const SourceText& source, Problems& problems) : source_(source), problems_(problems) {}

  // `from` is nullptr where the table is not in the file.
  DocumentTable read(const TableSchema& schema, const toml::table* from, const std::string& path, Place place) {
    DocumentTable table(schema);
    table.place_ = place;
    table.present_ = from != nullptr;
    const std::string header = header_text(path, schema.array);
    const Names meant = from == nullptr ? Names{} : find_unknown(schema, *from, header);
    for (const KeySchema& key : schema.keys) {
      read_key(key, from, header, table, meant.contains(key.name));
    }
    for (const TableSchema& inner : schema.tables) {
      read_inner(inner, from, path, table, meant.contains(inner.name));
    }
    return table;
  }

 private:
  using Names = std::set<std::string, std::less<>>;

  // Complains of each; returns what they were meant to be, so that nobody is told of the same slip a second time.
  Names find_unknown(const TableSchema& schema, const toml::table& from, const std::string& header) {
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

  void read_key(const KeySchema& key, const toml::table* from, const std::string& header, DocumentTable& table,
                bool misspelt) {
    DocumentTable::Field& field = table.fields_[key.name];
    const toml::node* node = from == nullptr ? nullptr : from->get(key.name);
    const ValueContext context{.key = key, .header = header, .problems = problems_};
    if (node == nullptr) {
      if (key.fallback) {
        field.value = *key.fallback;
        field.has = true;
      } else if (key.required && from != nullptr && !misspelt) {
        problems_.add(
            table.place_,
            header.empty() ? fmt::format("'{}' is missing", key.name) : fmt::format("{} lacks '{}'", header, key.name),
            key.example.empty() ? std::string{} : fmt::format("for example {} = {}", key.name, key.example));
      }
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

  std::optional<Value> read_value(const ValueContext& context, const toml::node& node, DocumentTable::Field& field) {
    const ValueType type = context.key.type;
    if (const auto* text = node.as_string()) {
      if (type == ValueType::string_or_list) {
        auto checked = checked_string(context, text->get(), source_, field.whole);
        field.elements.push_back(field.whole);
        return checked ? std::optional<Value>(StringList{std::get<std::string>(*checked)}) : std::nullopt;
      }
      if (type == ValueType::string || type == ValueType::size || type == ValueType::mode) {
        return value_of_string(context, text->get(), source_, field.whole);
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

  std::optional<Value> read_list(const ValueContext& context, const toml::array& array, DocumentTable::Field& field) {
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
      auto checked = checked_string(context, text->get(), source_, place);
      good = good && checked.has_value();
      list.push_back(text->get());
    }
    if (good && static_cast<std::int64_t>(list.size()) < context.key.minimum.value_or(0)) {
      problems_.add(field.whole, fmt::format("'{}'{} has {} elements, fewer than {}", context.key.name,
                                             in_table(context.header), list.size(), *context.key.minimum));
      return std::nullopt;
    }
    return good ? std::optional<Value>(std::move(list)) : std::nullopt;
  }

  void read_inner(const TableSchema& inner, const toml::table* from, const std::string& path, DocumentTable& table,
                  bool misspelt) {
    const std::string inner_path = path.empty() ? inner.name : path + "." + inner.name;
    const toml::node* node = from == nullptr ? nullptr : from->get(inner.name);
    const Place key = node == nullptr ? Place{} : place_of(source_, from->find(inner.name)->first.source());
    const std::string header = header_text(inner_path, inner.array);
    if (node == nullptr && inner.required && !misspelt) {
      problems_.add(table.place_, fmt::format("the table {} is missing", header), {},
                    fmt::format("add {} and its keys", header));
    } else if (inner.array && node != nullptr) {
      read_array(inner, *node, inner_path, key, table);
    } else if (node != nullptr && !node->is_table()) {
      const bool lists = node->is_array_of_tables();
      problems_.add(key,
                    fmt::format("'{}' is {}, not a table", inner.name, lists ? "a list of tables" : type_word(*node)),
                    fmt::format("write {}", header));
      node = nullptr;
    }
    if (!inner.array) {
      const toml::table* values = node == nullptr ? nullptr : node->as_table();
      table.tables_[inner.name] = read(inner, values, inner_path, values == nullptr ? key : header_place(*values, key));
    }
  }

  void read_array(const TableSchema& inner, const toml::node& node, const std::string& path, Place key,
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

  // A table made by dotted keys has no header: its first key stands for it.
  [[nodiscard]] Place header_place(const toml::table& table, Place key) const {
    const Place place = place_of(source_, table.source());
    return place.line == 0 ? key : place;
  }

  const SourceText& source_;
  Problems& problems_;
};

namespace {

// The text with the second of two names made unique, so that reading can go on behind it.
std::string renamed(const SourceText& source, std::string text, const Duplicate& duplicate, int number) {
  const std::string name = fmt::format("\"{}{}\"", stand_in, number);
  const bool header = duplicate.name.starts_with('[');
  text.replace(source.line_start(duplicate.place.line) + duplicate.place.column - 1, duplicate.place.width,
               header ? fmt::format("[{}]", name) : name);
  return text;
}

std::optional<toml::table> parse_text(const SourceText& source, Problems& problems) {
  SourceText current = source;
  std::vector<unsigned> changed;
  for (int number = 0;; ++number) {
    SyntaxFault fault;
    try {
      return toml::parse(std::string_view(current.text()));
    } catch (const toml::parse_error& error) {
      const toml::source_position at = error.source().begin;
      fault = {.line = at.line, .column = at.column, .description = std::string(error.description())};
    }
    const bool again = std::ranges::find(changed, fault.line) != changed.end();
    const auto duplicate = again ? std::nullopt : find_duplicate(current, fault);
    if (!duplicate) {
      explain_fault(current, fault, problems);
      return std::nullopt;
    }
    problems.add(duplicate->place,
                 fmt::format("duplicate {} {}", duplicate->name.starts_with('[') ? "table" : "key",
                             duplicate->name.starts_with('[') ? duplicate->name : "'" + duplicate->name + "'"),
                 duplicate->first == 0 ? std::string{} : fmt::format("it stands at line {} already", duplicate->first));
    if (number == most_duplicates || source.text().find(stand_in) != std::string::npos) {
      return std::nullopt;
    }
    changed.push_back(fault.line);
    current = SourceText(renamed(current, current.text(), *duplicate, number));
  }
}

}  // namespace

Result<Document> read_document(std::string_view text, std::string file, const Schema& schema) {
  if (text.size() > document_limit) {
    Problems problems;
    problems.add(
        {}, fmt::format("the {} is too large: {} bytes, the most is {}", schema.title, text.size(), document_limit), {},
        "keep long contents in files of their own");
    return std::unexpected(problems.error(Document(std::move(file), {}, {})));
  }
  const SourceText source(text);
  Problems problems;
  DocumentTable root;
  try {
    const bool sound = check_source(source, problems);
    const std::optional<toml::table> parsed = sound ? parse_text(source, problems) : std::nullopt;
    if (parsed) {
      root = DocumentReader(source, problems).read(schema.root, &*parsed, {}, {});
    }
    Document document(std::move(file), sound ? source.text() : only_utf8(source.text()), std::move(root));
    if (parsed && schema.check) {
      schema.check(document, problems);
    }
    if (!problems.empty()) {
      return std::unexpected(problems.error(document));
    }
    return document;
  } catch (const std::exception& error) {
    return fail(ErrorCode::bad_input, fmt::format("{}: cannot read the {}: {}", file, schema.title, error.what()));
  }
}

Result<Document> load_document(const std::string& path, const Schema& schema) {
  const std::string text =
      TRY_AS(read_file(path, document_limit), fmt::format("cannot read the {} {}", schema.title, path));
  return read_document(text, path, schema);
}

}  // namespace domsmith
