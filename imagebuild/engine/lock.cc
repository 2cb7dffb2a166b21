#include "imagebuild/engine/lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/write.h"

namespace domsmith::engine {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> role_words{{{Role::essential, "essential"},
                                                                       {Role::required, "required"},
                                                                       {Role::wanted, "wanted"},
                                                                       {Role::dependency, "dependency"}}};

std::string word_of(Role role) {
  return std::string(std::ranges::find(role_words, role, &std::pair<Role, std::string_view>::first)->second);
}

Role role_of(std::string_view word) {
  const auto* found = std::ranges::find(role_words, word, &std::pair<Role, std::string_view>::second);
  return found == role_words.end() ? Role::dependency : found->first;
}

std::optional<Complaint> check_hash(std::string_view text) {
  if (text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos) {
    return std::nullopt;
  }
  return Complaint{.what = "a SHA-256 has 64 digits, 0 to 9 and a to f", .hint = "this is none"};
}

// Names of files are made of these: nothing that leads elsewhere may pass.
std::optional<Complaint> check_part(std::string_view text) {
  if (!text.empty() && text[0] != '.' && text.find_first_of("/_ \n\t") == std::string_view::npos) {
    return std::nullopt;
  }
  return Complaint{.what = "this cannot be part of a package file's name", .hint = "no '/', '_' or blank"};
}

KeySchema text_key(std::string name, std::string doc, StringCheck check = {}) {
  return {.name = std::move(name), .doc = std::move(doc), .required = true, .check = std::move(check)};
}

KeySchema number_key(std::string name, std::string doc) {
  return {.name = std::move(name), .type = ValueType::integer, .doc = std::move(doc), .required = true, .minimum = 0};
}

TableSchema source_table() {
  return {.name = "source",
          .doc = "What a mirror said when the packages were chosen.",
          .array = true,
          .keys = {text_key("release", "the name of its Release file"), text_key("sha256", "of that file", check_hash),
                   text_key("date", "that it bears")}};
}

TableSchema package_table() {
  return {.name = "package",
          .doc = "A package of the image.",
          .array = true,
          .keys = {text_key("name", "its name", check_part),
                   text_key("version", "its version", check_part),
                   text_key("architecture", "its architecture, or \"all\"", check_part),
                   {.name = "role",
                    .doc = "why it is there",
                    .required = true,
                    .choices = {"essential", "required", "wanted", "dependency"}},
                   text_key("sha256", "of its file", check_hash),
                   number_key("size", "of its file, bytes"),
                   text_key("uri", "where it was")}};
}

Schema make_schema() {
  return {.title = "lock",
          .root = {.keys = {{.name = "schema",
                             .type = ValueType::integer,
                             .doc = "the version of this format",
                             .fallback = std::int64_t{1},
                             .minimum = 1,
                             .maximum = 1},
                            text_key("image", "the image's name"),
                            text_key("recipe", "SHA-256 of the recipe", check_hash),
                            text_key("architecture", "the image's", check_part),
                            number_key("epoch", "SOURCE_DATE_EPOCH of the build: seconds since 1970")},
                   .tables = {source_table(), package_table()}}};
}

}  // namespace

const Schema& lock_schema() {
  static const Schema schema = make_schema();
  return schema;
}

std::filesystem::path lock_beside(const std::filesystem::path& recipe, const std::string& image) {
  return recipe.parent_path() / (image + ".lock.toml");
}

std::string lock_text(const Lock& lock) {
  DocumentTable root(lock_schema().root);
  root.set("schema", std::int64_t{1});
  root.set("image", lock.image);
  root.set("recipe", lock.recipe);
  root.set("architecture", lock.set.architecture);
  root.set("epoch", lock.set.epoch);
  for (const PackageSet::Source& source : lock.set.sources) {
    DocumentTable& table = root.append("source");
    table.set("release", source.line);
    table.set("sha256", source.release_sha256);
    table.set("date", source.date);
  }
  for (const Package& package : lock.set.packages) {
    DocumentTable& table = root.append("package");
    table.set("name", package.name);
    table.set("version", package.version);
    table.set("architecture", package.architecture);
    table.set("role", word_of(package.role));
    table.set("sha256", package.sha256);
    table.set("size", static_cast<std::int64_t>(package.size));
    table.set("uri", package.uri);
  }
  return fmt::format("# Written by domsmith build. `domsmith build --locked` builds exactly this.\n{}",
                     toml_text(root, lock_schema()));
}

Result<Lock> parse_lock(std::string_view text, const std::string& file) {
  const Document document = TRY(read_document(text, file, lock_schema()));
  const DocumentTable& root = document.root();
  Lock lock{.image = root.string("image"), .recipe = root.string("recipe"), .set = {}};
  lock.set.architecture = root.string("architecture");
  lock.set.epoch = root.integer("epoch");
  for (const DocumentTable& table : root.tables("source")) {
    lock.set.sources.push_back(
        {.line = table.string("release"), .release_sha256 = table.string("sha256"), .date = table.string("date")});
  }
  for (const DocumentTable& table : root.tables("package")) {
    lock.set.packages.push_back({.name = table.string("name"),
                                 .version = table.string("version"),
                                 .architecture = table.string("architecture"),
                                 .role = role_of(table.string("role")),
                                 .uri = table.string("uri"),
                                 .sha256 = table.string("sha256"),
                                 .size = static_cast<std::uint64_t>(table.integer("size"))});
  }
  return lock;
}

Result<Lock> load_lock(const std::filesystem::path& file) {
  return parse_lock(TRY_AS(read_file(file, document_limit), "cannot read the lock"), file.string());
}

}  // namespace domsmith::engine
