// Reads a described TOML document (TOML 1.0): values with their places in the file, defaults filled in, or every error
// of the file in one run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
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
  unsigned file = 0;  // of the document's files; 0 is the first
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

  // Of a table with free keys: name -> value, by name.
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& free_strings() const { return free_; }

  // For who makes a document to write it (write.h). The value's type must be the schema's.
  void set(std::string_view key, Value value);
  DocumentTable& edit(std::string_view name);
  DocumentTable& append(std::string_view name);  // one more [[name]]

 private:
  friend class DocumentReader;
  friend class DocumentComposer;
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
  std::map<std::string, std::string, std::less<>> free_;
  std::set<std::string, std::less<>> misspelt_;  // keys and tables that an unknown one was taken for
};

class Document {
 public:
  Document() = default;
  Document(std::string file, std::string_view text, DocumentTable root);
  [[nodiscard]] const std::string& file() const { return files_.front().name; }
  // A further file of a composed document; its number, for Place::file. `folder` is where it lies below the first one's
  // folder: "", "common".
  unsigned add_file(std::string name, std::string folder, std::string_view text);
  [[nodiscard]] const std::string& folder_of(Place place) const { return files_.at(place.file).folder; }
  void set_root(DocumentTable root) { root_ = std::move(root); }
  [[nodiscard]] const DocumentTable& root() const { return root_; }
  // The place with its line's text, for an Error's `where`.
  [[nodiscard]] SourcePoint point(Place place, std::string hint = {}) const;

 private:
  struct File {
    std::string name, folder;
    std::vector<std::string> lines;
  };
  std::vector<File> files_{1};
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
  // Places of what is added from now on are in this file; nullopt: they say themselves.
  void set_file(std::optional<unsigned> file) { file_ = file; }
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  // The first in the file's order, the rest in its `others`; ErrorCode::bad_input. Not to be called when empty.
  [[nodiscard]] Error error(const Document& document) const;

 private:
  std::vector<Problem> problems_;
  std::optional<unsigned> file_;
};

constexpr std::size_t document_limit = 1U << 20;  // bytes

// `file` is the name that errors show. Text past 1 MiB is refused unread, and so is nesting past 32.
Result<Document> read_document(std::string_view text, std::string file, const Schema& schema);
// What a composed document is put together with, beside its first file.
struct Composition {
  std::vector<std::string> profiles;       // those that are wanted
  std::map<std::string, std::string> set;  // variables' values, before those of the files
  // The text of an included file, by its path below the first one's folder. The Error's `what` is a short reason.
  std::function<Result<std::string>(const std::string&)> load;
};
// A document whose schema is `composed`: included files first, then the file itself, then the chosen profiles. A later
// value takes the place of an earlier one, lists are joined, and so are [[name]]s, unless their identity is the same.
Result<Document> read_composed(std::string_view text, std::string file, const Schema& schema,
                               const Composition& composition);

// The same of a file on disk.
Result<Document> load_document(const std::string& path, const Schema& schema);

}  // namespace domsmith
