// toml++'s tree against the schema. reader.cc and compose.cc are the only files that know toml++.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/source_text.h"
#include "imagebuild/recipe/values.h"

namespace domsmith {

constexpr std::string_view stand_in = "domsmith duplicate ";  // the name that the second of two keys gets

Place place_of(const SourceText& source, const toml::source_region& region);

// A name of [variables] or of a profile.
bool variable_name(std::string_view name);

// Reads one file's tables, with what stands in them and without any default.
class DocumentReader {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;
  // `variables` is nullptr where the document has none: then "{{" means nothing.
  DocumentReader(const SourceText& source, Problems& problems, const Variables* variables = nullptr)
      : source_(source), problems_(problems), variables_(variables) {}

  // `from` is nullptr where the table is not in the file.
  DocumentTable read(const TableSchema& schema, const toml::table* from, const std::string& path, Place place);

 private:
  using Names = std::set<std::string, std::less<>>;

  // Complains of each; returns what they were meant to be, so that nobody is told of the same slip a second time.
  Names find_unknown(const TableSchema& schema, const toml::table& from, const std::string& header);

  // Names that the author chose; the values are strings.
  void read_free(const KeySchema& key, const toml::table& from, const std::string& header, DocumentTable& table);

  // "{{NAME}}" of the variables that there are; other braces are the text's own.
  std::optional<std::string> expanded(const std::string& text, Place place);

  void read_key(const KeySchema& key, const toml::table* from, const std::string& header, DocumentTable& table);

  std::optional<Value> read_value(const ValueContext& context, const toml::node& node, DocumentTable::Field& field);

  std::optional<Value> read_list(const ValueContext& context, const toml::array& array, DocumentTable::Field& field);

  void read_inner(const TableSchema& inner, const toml::table* from, const std::string& path, DocumentTable& table);

  void read_array(const TableSchema& inner, const toml::node& node, const std::string& path, Place key,
                  DocumentTable& table);

  // A table made by dotted keys has no header: its first key stands for it.
  [[nodiscard]] Place header_place(const toml::table& table, Place key) const;

  const SourceText& source_;
  Problems& problems_;
  const Variables* variables_;
};

}  // namespace domsmith
