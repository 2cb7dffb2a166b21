// A described TOML document: which tables and keys it may hold, their types, defaults, limits and one line of text
// each.
//
// One description serves the reader (document.h), the writer (write.h), the JSON Schema and the tables of the manual
// (describe.h), so that they cannot drift apart. Recipes, domain templates and settings are each described this way.
//
//   const Schema schema{.title = "domain template",
//                       .root = {.keys = {{.name = "schema", .type = ValueType::integer, .doc = "…", .minimum = 1,
//                       .maximum = 1}},
//                                .tables = {{.name = "domain", .doc = "…", .keys = {…}}}}};
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace domsmith {

enum class ValueType {
  string,   // "text"; with `choices` one of these
  integer,  // 64 bit, signed
  boolean,
  size,            // "2GiB" (base/text.h parse_size) or an integer of bytes; held as bytes
  mode,            // "0644" or 0o644, up to 07777; held as an integer
  string_list,     // ["a", "b"]
  string_or_list,  // "a" or ["a", "b"]; held as a list
};

// What a key holds: string -> std::string; integer, size, mode -> std::int64_t; boolean -> bool; the lists -> a vector.
using StringList = std::vector<std::string>;
using Value = std::variant<std::string, std::int64_t, bool, StringList>;

// What is wrong with a value: `what` is the error's clause ("bad user name 'x y'"), `hint` stands behind the caret and
// says what would do ("a lower-case letter or '_' first, then letters, digits, '-' or '_'"); `offset`/`width`: the part
// of a string that is wrong, in bytes of the value; width 0 is the whole value.
struct Complaint {
  std::string what;
  std::string hint;
  std::size_t offset = 0;
  std::size_t width = 0;
};

// Of a function that says what is wrong as an Error; nullopt: nothing is.
template <class T>
std::optional<Complaint> complaint_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(Complaint{.what = result.error().what, .hint = result.error().remedy});
}

// Looks at one string: the value, or each element of a list. nullopt: it is fine.
using StringCheck = std::function<std::optional<Complaint>(std::string_view)>;

struct KeySchema {
  std::string name{};
  ValueType type = ValueType::string;
  std::string doc{};  // one line, for people
  bool required = false;
  std::optional<Value> fallback{};        // the default; filled in where the key is absent
  std::string default_text{};             // the words for a default that the program works out ("the image's name")
  std::string example{};                  // a value as TOML text: "\"2GiB\""
  std::vector<std::string> choices{};     // strings and lists: only these
  std::optional<std::int64_t> minimum{};  // integer, size (bytes): the least; the lists: the least number of elements
  std::optional<std::int64_t> maximum{};  // integer, size (bytes): the greatest; strings: the most bytes (each element)
  std::string word{};                     // size: this word too ("auto"), held as 0
  std::int64_t multiple = 1;              // size: of how many bytes it must be a multiple
  std::string pattern{};                  // strings: an anchored regular expression (ECMA 262) for editors
  StringCheck check{};                    // strings, and each element of a list
};

struct TableSchema {
  std::string name{};  // "" for the root
  std::string doc{};   // one line
  bool array = false;  // [[name]]: any number of them
  bool required = false;
  std::vector<KeySchema> keys{};
  std::vector<TableSchema> tables{};
  // Of [[name]]: the key by which one in another file (composed documents) takes the place of this one.
  std::string identity{};
  std::optional<KeySchema> free_key{};  // the table's keys have names of their author's own, and values like this
  bool profiles = false;                // [name.PROFILE]: each holds tables of the root's, laid over them where chosen
};

class Document;
class Problems;

struct Schema {
  std::string title{};  // "recipe": the word for the document in errors and in the JSON Schema
  TableSchema root{};
  // What one key alone cannot tell. It runs behind the check of every key, also where some were wrong: those are
  // absent.
  std::function<void(const Document&, Problems&)> check{};
  // The document may be put together from several files and parts: a key `include`, a table with `free_key` called
  // `variables` whose values stand for "{{NAME}}" in strings, a table with `profiles`. See read_composed().
  bool composed = false;
};

// The description of one key or table; nullptr where there is none.
const KeySchema* find_key(const TableSchema& table, std::string_view name);
const TableSchema* find_table(const TableSchema& table, std::string_view name);

}  // namespace domsmith
