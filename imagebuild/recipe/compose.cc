// Texts to documents: one file or several, parsed, read and laid over one another.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/recipe/reader.h"
#include "imagebuild/recipe/syntax.h"

namespace domsmith {

namespace {

constexpr int most_duplicates = 20;

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

struct Part {
  SourceText source;
  toml::table table;
};

// One file, parsed; nothing where it is no TOML.
std::optional<Part> parse_part(std::string_view text, unsigned file, Problems& problems) {
  Part part{.source = SourceText(text, file), .table = {}};
  problems.set_file(file);
  auto parsed = check_source(part.source, problems) ? parse_text(part.source, problems) : std::nullopt;
  problems.set_file(std::nullopt);
  if (!parsed) {
    return std::nullopt;
  }
  part.table = std::move(*parsed);
  return part;
}

std::string parent_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

// Puts a document together: see read_composed().
class DocumentComposer {
 public:
  DocumentComposer(Document& document, const Schema& schema, const Composition& composition, Problems& problems)
      : document_(document), schema_(schema), composition_(composition), problems_(problems) {}

  // False where a file is no TOML: then nothing can be said of the rest.
  bool gather(std::string_view text) {
    include(text, 0);
    return !broken_;
  }

  DocumentTable compose() {
    take_variables();
    DocumentTable root(schema_.root);
    std::vector<Layer> chosen;
    for (const Part& part : parts_) {
      DocumentReader reader(part.source, problems_, variables_.empty() ? nullptr : &variables_);
      lay_over(root, reader.read(schema_.root, &part.table, {}, {}), schema_.root);
      read_profiles(part, reader, chosen);
    }
    for (const std::string& wanted : composition_.profiles) {
      for (Layer& layer : chosen) {
        if (layer.profile == wanted) {
          lay_over(root, std::move(layer.table), schema_.root);
        }
      }
    }
    check_choices();
    complete(root, schema_.root, {});
    return root;
  }

  // Defaults, and what is required and was not given.
  void complete(DocumentTable& table, const TableSchema& schema, const std::string& path) {
    const std::string header = header_text(path, schema.array);
    for (const KeySchema& key : schema.keys) {
      DocumentTable::Field& field = table.fields_[key.name];
      if (field.written) {
        continue;
      }
      if (key.fallback) {
        field.value = *key.fallback;
        field.has = true;
      } else if (key.required && (table.present_ || path.empty()) && !table.misspelt_.contains(key.name)) {
        problems_.add(
            table.place_,
            header.empty() ? fmt::format("'{}' is missing", key.name) : fmt::format("{} lacks '{}'", header, key.name),
            key.example.empty() ? std::string{} : fmt::format("for example {} = {}", key.name, key.example));
      }
    }
    for (const TableSchema& inner : schema.tables) {
      const std::string inner_path = path.empty() ? inner.name : path + "." + inner.name;
      if (inner.array) {
        for (DocumentTable& item : table.arrays_[inner.name].items) {
          complete(item, inner, inner_path);
        }
        continue;
      }
      DocumentTable& below = table.tables_[inner.name];
      if (inner.required && !below.present_ && !table.misspelt_.contains(inner.name)) {
        problems_.add(table.place_, fmt::format("the table [{}] is missing", inner_path), {},
                      fmt::format("add [{}] and its keys", inner_path));
      }
      complete(below, inner, inner_path);
    }
  }

 private:
  struct Layer {
    std::string profile;
    DocumentTable table;
  };
  static constexpr std::size_t most_files = 32;

  // The file's own includes come before it.
  void include(std::string_view text, unsigned file) {
    auto part = parse_part(text, file, problems_);
    if (!part) {
      broken_ = true;
      return;
    }
    const toml::node* node = part->table.get("include");
    if (const auto* list = node == nullptr ? nullptr : node->as_array()) {
      for (const toml::node& element : *list) {
        include_one(element, part->source, file);
      }
    } else if (node != nullptr && node->is_string()) {
      include_one(*node, part->source, file);
    }
    parts_.push_back(std::move(*part));
  }

  void include_one(const toml::node& node, const SourceText& source, unsigned file) {
    const auto* word = node.as_string();
    const KeySchema* key = find_key(schema_.root, "include");
    if (word == nullptr || key == nullptr || (key->check && key->check(word->get()))) {
      return;  // the reader complains of it
    }
    const Place place = place_of(source, node.source());
    const std::string& folder = document_.folder_of({.file = file});
    const std::string path = folder.empty() ? word->get() : folder + "/" + word->get();
    if (!seen_.insert(path).second) {
      return;  // once is enough, and a circle ends here
    }
    if (seen_.size() > most_files) {
      problems_.add(place, fmt::format("more than {} files are included", most_files));
      return;
    }
    auto text =
        composition_.load ? composition_.load(path) : Result<std::string>(fail(ErrorCode::bad_input, "no files"));
    if (text && text->size() > document_limit) {
      text = fail(ErrorCode::bad_input, fmt::format("it is larger than {} bytes", document_limit));
    }
    if (!text) {
      problems_.add(place, fmt::format("cannot read '{}'", path), text.error().what);
      return;
    }
    const std::string base = parent_folder(document_.file());
    include(*text, document_.add_file(base.empty() ? path : base + "/" + path, parent_folder(path), only_utf8(*text)));
  }

  void take_variables() {
    const TableSchema* schema = find_table(schema_.root, "variables");
    for (const Part& part : parts_) {
      const auto* table = part.table["variables"].as_table();
      if (schema == nullptr || table == nullptr) {
        continue;
      }
      Problems later;  // the reader of the whole part complains
      for (auto& [name, value] : DocumentReader(part.source, later).read(*schema, table, "variables", {}).free_) {
        variables_[name] = value;
      }
    }
    for (const auto& [name, value] : composition_.set) {
      if (!variables_.contains(name)) {
        StringList known;
        for (const auto& [known_name, unused] : variables_) {
          known.push_back(known_name);
        }
        const std::string meant = nearest(name, known);
        problems_.add({}, fmt::format("--set {}: the {} has no such variable", name, schema_.title), {},
                      meant.empty() ? "[variables] gives each its default" : fmt::format("did you mean '{}'?", meant));
        continue;
      }
      variables_[name] = value;
    }
  }

  // Each is read, so that its faults are known; only those that are wanted count.
  void read_profiles(const Part& part, DocumentReader& reader, std::vector<Layer>& chosen) {
    const auto* profiles = part.table["profile"].as_table();
    if (profiles == nullptr) {
      return;
    }
    TableSchema layer = schema_.root;
    std::erase_if(layer.keys, [](const KeySchema&) { return true; });
    std::erase_if(layer.tables, [](const TableSchema& table) { return table.free_key || table.profiles; });
    for (const auto& [name, node] : *profiles) {
      const Place place = place_of(part.source, name.source());
      const auto* table = node.as_table();
      if (table == nullptr || !variable_name(name.str())) {
        problems_.add(place, fmt::format("bad profile '{}'", shortened(name.str())), "write [profile.NAME.TABLE]");
        continue;
      }
      known_profiles_.emplace_back(name.str());
      chosen.push_back({.profile = std::string(name.str()),
                        .table = reader.read(layer, table, "profile." + std::string(name.str()), place)});
    }
  }

  void check_choices() {
    for (const std::string& wanted : composition_.profiles) {
      if (std::ranges::find(known_profiles_, wanted) == known_profiles_.end()) {
        const std::string meant = nearest(wanted, known_profiles_);
        problems_.add({}, fmt::format("--profile {}: the {} has no such profile", wanted, schema_.title), {},
                      meant.empty() ? "[profile.NAME.TABLE] makes one" : fmt::format("did you mean '{}'?", meant));
      }
    }
  }

  static void lay_field(DocumentTable::Field& under, DocumentTable::Field over, bool list) {
    if (!list || !under.has || !over.has) {
      under = std::move(over);
      return;
    }
    auto& all = std::get<StringList>(under.value);
    const auto& more = std::get<StringList>(over.value);
    for (std::size_t i = 0; i < more.size(); ++i) {
      if (std::ranges::find(all, more[i]) == all.end()) {
        all.push_back(more[i]);
        under.elements.push_back(i < over.elements.size() ? over.elements[i] : over.whole);
      }
    }
    under.key = over.key;
    under.whole = over.whole;
  }

  static void lay_over(DocumentTable& under, DocumentTable over, const TableSchema& schema) {
    if (over.present_) {
      under.present_ = true;
      under.place_ = over.place_;
    }
    under.misspelt_.merge(over.misspelt_);
    for (const auto& [name, value] : over.free_) {
      under.free_[name] = value;
    }
    for (const KeySchema& key : schema.keys) {
      const auto found = over.fields_.find(key.name);
      if (found != over.fields_.end() && found->second.written) {
        lay_field(under.fields_[key.name], std::move(found->second), is_list(key.type));
      }
    }
    for (const TableSchema& inner : schema.tables) {
      if (inner.array) {
        lay_items(under.arrays_[inner.name].items, std::move(over.arrays_[inner.name].items), inner.identity);
      } else {
        lay_over(under.tables_[inner.name], std::move(over.tables_[inner.name]), inner);
      }
    }
  }

  static void lay_items(std::vector<DocumentTable>& under, std::vector<DocumentTable> over,
                        const std::string& identity) {
    const std::size_t earlier = under.size();
    for (DocumentTable& item : over) {
      const auto same = [&](const DocumentTable& other) {
        return !identity.empty() && item.has(identity) && other.has(identity) &&
               other.string(identity) == item.string(identity);
      };
      const auto end = under.begin() + static_cast<std::ptrdiff_t>(earlier);
      if (const auto found = std::find_if(under.begin(), end, same); found != end) {
        *found = std::move(item);
      } else {
        under.push_back(std::move(item));
      }
    }
  }

  Document& document_;
  const Schema& schema_;
  const Composition& composition_;
  Problems& problems_;
  std::vector<Part> parts_;  // in the order in which they are laid over one another
  std::set<std::string> seen_;
  DocumentReader::Variables variables_;
  StringList known_profiles_;
  bool broken_ = false;
};

Result<Document> read_composed(std::string_view text, std::string file, const Schema& schema,
                               const Composition& composition) {
  Problems problems;
  if (text.size() > document_limit) {
    problems.add(
        {}, fmt::format("the {} is too large: {} bytes, the most is {}", schema.title, text.size(), document_limit), {},
        "keep long contents in files of their own");
    return std::unexpected(problems.error(Document(std::move(file), {}, {})));
  }
  try {
    Document document(std::move(file), only_utf8(SourceText(text).text()), {});
    DocumentComposer composer(document, schema, composition, problems);
    const bool whole = composer.gather(text);
    if (whole) {
      document.set_root(composer.compose());
      if (schema.check) {
        schema.check(document, problems);
      }
    }
    if (!problems.empty()) {
      return std::unexpected(problems.error(document));
    }
    return document;
  } catch (const std::exception& error) {
    return fail(ErrorCode::bad_input, fmt::format("cannot read the {}: {}", schema.title, error.what()));
  }
}

Result<Document> read_document(std::string_view text, std::string file, const Schema& schema) {
  return read_composed(text, std::move(file), schema, {});
}

Result<Document> load_document(const std::string& path, const Schema& schema) {
  const std::string text =
      TRY_AS(read_file(path, document_limit), fmt::format("cannot read the {} {}", schema.title, path));
  return read_document(text, path, schema);
}

}  // namespace domsmith
