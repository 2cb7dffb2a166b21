// One value against its key's schema. Each function adds what is wrong to `problems` and gives nullopt then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/source_text.h"

namespace domsmith {

struct ValueContext {
  const KeySchema& key;
  const std::string& header;  // "[image]"; "" in the root
  Problems& problems;
};

bool is_list(ValueType type);
std::string_view type_words(ValueType type);      // "a string", "a list of strings"
std::string in_table(const std::string& header);  // " in [image]", or "" for the root
// "[image]", "[[user]]", "[system.services]"; "" for the root.
std::string header_text(const std::string& path, bool array);

// A value of type string, size or mode that is written as a string.
std::optional<Value> value_of_string(const ValueContext& context, const std::string& text, const SourceText& source,
                                     Place place);
// A string, or an element of a list.
std::optional<Value> checked_string(const ValueContext& context, const std::string& text, const SourceText& source,
                                    Place place);
// A value of type integer, size or mode that is written as a number; `octal`: as 0o….
std::optional<Value> value_of_integer(const ValueContext& context, std::int64_t number, bool octal, Place place);

void wrong_type(const ValueContext& context, std::string_view found, const SourceText& source, Place place);
void wrong_element(const ValueContext& context, std::string_view found, const SourceText& source, Place place);

StringList known_names(const TableSchema& schema);  // of its keys and tables
std::string unknown_text(std::string_view name, bool table, const std::string& header);
std::string unknown_hint(const TableSchema& schema, std::string_view name, const std::string& header);

// 2147483648 -> "2GiB": the greatest unit that leaves no remainder.
std::string exact_size_text(std::int64_t bytes);
// 0644 -> "0644"
std::string mode_text(std::int64_t mode);

}  // namespace domsmith
