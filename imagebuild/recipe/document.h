// Reads a described TOML document (TOML 1.0): values with their places in the file, defaults filled in, or every error
// of the file in one run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/recipe/schema.h"

namespace domsmith {

// A range of bytes on one line of the file. line 0: not in the file (a default).
struct Place {
  unsigned line = 0;
  unsigned column = 0;
  unsigned width = 1;
};

// One table's values. The keys and tables of the schema are all there; asking for another one, or for another type than
// the schema's, is a fault of the program and throws std::logic_error.
class DocumentTable {
 public:
  DocumentTable() = default;
  explicit DocumentTable(const TableSchema& schema);  // empty: no key has a value, not even its default

  // The value, or "", 0, false, {} where there is none: see has().
  [[nodiscard]] const std::string& string(std::string_view key) const;
  [[nodiscard]] std::int64_t integer(std::string_view key) const;  // also size (bytes) and mode
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] const StringList& strings(std::string_view key) const;

  [[nodiscard]] bool has(std::string_view key) const;      // a value, written or by default
  [[nodiscard]] bool written(std::string_view key) const;  // stands in the file (perhaps with a wrong value)

  [[nodiscard]] bool present() const { return present_; }  // stands in the file

  // A table that is not in the file is there all the same, holding defaults.
  [[nodiscard]] const DocumentTable& table(std::string_view name) const;
  [[nodiscard]] const std::vector<DocumentTable>& tables(std::string_view name) const;  // of [[name]]

  [[nodiscard]] Place place() const { return place_; }          // the header, "[name]"
  [[nodiscard]] Place key_place(std::string_view key) const;    // the word left of '='; the header if not written
  [[nodiscard]] Place value_place(std::string_view key) const;  // right of '='
  [[nodiscard]] Place element_place(std::string_view key, std::size_t index) const;  // of a list

  // For who makes a document to write it (write.h). The value's type must be the schema's.
  void set(std::string_view key, Value value);
  DocumentTable& edit(std::string_view name);
  DocumentTable& append(std::string_view name);  // one more [[name]]

 private:
  friend class DocumentReader;
  struct Field {
    Value value;
    bool has = false;
    bool written = false;
    Place key, whole;
    std::vector<Place> elements;
  };
  struct Array {
    TableSchema schema;
    std::vector<DocumentTable> items;
  };
  [[nodiscard]] const Field& field(std::string_view key) const;
  Place place_;
  bool present_ = false;
  std::map<std::string, Field, std::less<>> fields_;
  std::map<std::string, DocumentTable, std::less<>> tables_;
  std::map<std::string, Array, std::less<>> arrays_;
};

class Document {
 public:
  Document() = default;
  Document(std::string file, std::string_view text, DocumentTable root);
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const DocumentTable& root() const { return root_; }
  // The place with its line's text, for an Error's `where`.
  [[nodiscard]] SourcePoint point(Place place, std::string hint = {}) const;

 private:
  std::string file_;
  std::vector<std::string> lines_;
  DocumentTable root_;
};

// The errors of one document, gathered while it is read and checked.
class Problems {
 public:
  struct Problem {
    Place place;
    std::string what, hint, remedy;
  };
  void add(Place place, std::string what, std::string hint = {}, std::string remedy = {});
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  // The first in the file's order, the rest in its `others`; ErrorCode::bad_input. Not to be called when empty.
  [[nodiscard]] Error error(const Document& document) const;

 private:
  std::vector<Problem> problems_;
};

constexpr std::size_t document_limit = 1U << 20;  // bytes

// `file` is the name that errors show. Text past 1 MiB is refused unread, and so is nesting past 32.
Result<Document> read_document(std::string_view text, std::string file, const Schema& schema);
// The same of a file on disk.
Result<Document> load_document(const std::string& path, const Schema& schema);

}  // namespace domsmith
