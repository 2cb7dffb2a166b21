#include "imagebuild/recipe/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "base/text.h"

namespace domsmith {

namespace {

Value empty_value(ValueType type) {
  switch (type) {
    case ValueType::string:
      return std::string{};
    case ValueType::integer:
    case ValueType::size:
    case ValueType::mode:
      return std::int64_t{0};
    case ValueType::boolean:
      return false;
    case ValueType::string_list:
    case ValueType::string_or_list:
      return StringList{};
  }
  return false;
}

// The named thing, or a logic_error: the program asked for what its own schema does not have.
template <class Map>
auto& named(Map& map, std::string_view kind, std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) {
    throw std::logic_error(fmt::format("the schema has no {} '{}'", kind, name));
  }
  return found->second;
}

template <class T>
const T& typed(const Value& value, std::string_view key) {
  const T* found = std::get_if<T>(&value);
  if (found == nullptr) {
    throw std::logic_error(fmt::format("key '{}' is of another type in the schema", key));
  }
  return *found;
}

}  // namespace

DocumentTable::DocumentTable(const TableSchema& schema) {
  for (const KeySchema& key : schema.keys) {
    fields_[key.name].value = empty_value(key.type);
  }
  for (const TableSchema& table : schema.tables) {
    if (table.array) {
      arrays_[table.name].schema = table;
    } else {
      tables_.emplace(table.name, DocumentTable(table));
    }
  }
}

const DocumentTable::Field& DocumentTable::field(std::string_view key) const { return named(fields_, "key", key); }

const std::string& DocumentTable::string(std::string_view key) const {
  return typed<std::string>(field(key).value, key);
}
std::int64_t DocumentTable::integer(std::string_view key) const { return typed<std::int64_t>(field(key).value, key); }
bool DocumentTable::boolean(std::string_view key) const { return typed<bool>(field(key).value, key); }
const StringList& DocumentTable::strings(std::string_view key) const {
  return typed<StringList>(field(key).value, key);
}

bool DocumentTable::has(std::string_view key) const { return field(key).has; }
bool DocumentTable::written(std::string_view key) const { return field(key).written; }

const DocumentTable& DocumentTable::table(std::string_view name) const { return named(tables_, "table", name); }
const std::vector<DocumentTable>& DocumentTable::tables(std::string_view name) const {
  return named(arrays_, "list of tables", name).items;
}

Place DocumentTable::key_place(std::string_view key) const { return written(key) ? field(key).key : place_; }
Place DocumentTable::value_place(std::string_view key) const { return written(key) ? field(key).whole : place_; }
Place DocumentTable::element_place(std::string_view key, std::size_t index) const {
  const Field& found = field(key);
  return index < found.elements.size() ? found.elements[index] : value_place(key);
}

void DocumentTable::set(std::string_view key, Value value) {
  Field& found = named(fields_, "key", key);
  if (found.value.index() != value.index()) {
    throw std::logic_error(fmt::format("key '{}' is of another type in the schema", key));
  }
  found.value = std::move(value);
  found.has = true;
}

DocumentTable& DocumentTable::edit(std::string_view name) { return named(tables_, "table", name); }

DocumentTable& DocumentTable::append(std::string_view name) {
  Array& array = named(arrays_, "list of tables", name);
  return array.items.emplace_back(array.schema);
}

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines = split_lines(text);
  for (std::string& line : lines) {
    if (line.ends_with('\r')) {
      line.pop_back();
    }
  }
  return lines;
}

}  // namespace

Document::Document(std::string file, std::string_view text, DocumentTable root) : root_(std::move(root)) {
  files_[0] = {.name = std::move(file), .folder = {}, .lines = lines_of(text)};
}

unsigned Document::add_file(std::string name, std::string folder, std::string_view text) {
  files_.push_back({.name = std::move(name), .folder = std::move(folder), .lines = lines_of(text)});
  return static_cast<unsigned>(files_.size()) - 1;
}

SourcePoint Document::point(Place place, std::string hint) const {
  const File& file = files_.at(place.file);
  const bool known = place.line > 0 && place.line <= file.lines.size();
  return {.file = file.name,
          .line = place.line,
          .column = place.column,
          .text = known ? file.lines[place.line - 1] : std::string{},
          .width = place.width,
          .hint = std::move(hint)};
}

void Problems::add(Place place, std::string what, std::string hint, std::string remedy) {
  place.file = file_.value_or(place.file);
  problems_.push_back({.place = place, .what = std::move(what), .hint = std::move(hint), .remedy = std::move(remedy)});
}

Error Problems::error(const Document& document) const {
  static constexpr std::size_t most = 100;            // nobody reads more at a time
  static constexpr std::size_t most_text = 8U << 20;  // bytes of source lines: each error holds its own
  std::vector<Problem> sorted = problems_;
  std::ranges::stable_sort(sorted, {}, [](const Problem& problem) {
    return std::tuple(problem.place.file, problem.place.line, problem.place.column);
  });
  const auto error_of = [&](const Problem& problem) {
    return Error{.code = ErrorCode::bad_input,
                 .what = problem.what,
                 .where = document.point(problem.place, problem.hint),
                 .causes = {},
                 .remedy = problem.remedy,
                 .others = {}};
  };
  Error first = error_of(sorted.at(0));
  std::size_t shown = 1;
  for (std::size_t text = first.where->text.size(); shown < std::min(sorted.size(), most) && text < most_text;
       ++shown) {
    first.others.push_back(error_of(sorted[shown]));
    text += first.others.back().where->text.size();
  }
  if (sorted.size() > shown) {
    const std::string more = fmt::format("{} more errors", sorted.size() - shown);
    first.others.push_back(error_of({.place = {}, .what = more, .hint = {}, .remedy = {}}));
  }
  return first;
}

}  // namespace domsmith
