#include "imagebuild/recipe/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>

#include "imagebuild/recipe/host.h"
#include "imagebuild/recipe/source_text.h"

namespace domsmith {

namespace {

std::string stands_at(Place place) {
  return fmt::format("it stands at line {}{} already", place.line, place.file == 0 ? "" : " of an included file");
}

// Complains of a key's value that an earlier table of the list has, too.
void check_unique(const std::vector<DocumentTable>& tables, const std::string& key, std::string_view kinds,
                  Problems& problems) {
  std::map<std::string, Place> seen;
  for (const DocumentTable& table : tables) {
    if (!table.has(key)) {
      continue;
    }
    const auto [first, fresh] = seen.emplace(table.string(key), table.value_place(key));
    if (!fresh) {
      problems.add(table.value_place(key), fmt::format("two {} '{}'", kinds, shortened(first->first)),
                   stands_at(first->second));
    }
  }
}

// Root is there already: only keys can be added.
void check_root(const DocumentTable& user, Problems& problems) {
  for (const char* key : {"uid", "groups", "shell", "home", "password", "system"}) {
    if (user.written(key)) {
      problems.add(user.key_place(key), fmt::format("'{}' cannot be set for the user 'root'", key),
                   key == std::string_view("password") ? "see root-password in [system]" : "root is there already");
    }
  }
}

void check_users(const std::vector<DocumentTable>& users, Problems& problems) {
  check_unique(users, "name", "users", problems);
  std::map<std::int64_t, Place> seen;
  for (const DocumentTable& user : users) {
    if (user.string("name") == "root") {
      check_root(user, problems);
    }
    if (!user.has("uid")) {
      continue;
    }
    const auto [first, fresh] = seen.emplace(user.integer("uid"), user.value_place("uid"));
    if (!fresh) {
      problems.add(user.value_place("uid"), fmt::format("two users with the number {}", first->first),
                   stands_at(first->second));
    }
  }
}

// A file cannot be the folder of another one.
void check_paths(const std::vector<DocumentTable>& files, Problems& problems) {
  check_unique(files, "path", "files", problems);
  std::map<std::string, Place> paths;
  for (const DocumentTable& file : files) {
    if (file.has("path")) {
      paths.emplace(file.string("path"), file.value_place("path"));
    }
  }
  for (const auto& [path, place] : paths) {
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1)) {
      if (const auto parent = paths.find(path.substr(0, slash)); parent != paths.end()) {
        problems.add(place, fmt::format("'{}' stands below the file '{}'", shortened(path), shortened(parent->first)),
                     fmt::format("that one is at line {}", parent->second.line));
        break;
      }
    }
  }
}

void check_one_of_two(const std::vector<DocumentTable>& tables, std::string_view header, Problems& problems) {
  for (const DocumentTable& table : tables) {
    if (table.written("source") && table.written("content")) {
      problems.add(table.key_place("content"), fmt::format("{} has both 'source' and 'content'", header),
                   "leave one of them out");
    } else if (!table.written("source") && !table.written("content")) {
      problems.add(table.place(), fmt::format("{} has neither 'source' nor 'content'", header));
    }
  }
}

// Complains of elements of `key` that stand in `other` as well.
void check_disjoint(const DocumentTable& table, const std::string& key, const std::string& other, Problems& problems) {
  const auto name_of = [](const std::string& text) { return text.substr(0, text.find_first_of(":=/")); };
  std::map<std::string, std::size_t> there;
  for (std::size_t i = 0; i < table.strings(other).size(); ++i) {
    there.emplace(name_of(table.strings(other)[i]), i);
  }
  for (std::size_t i = 0; i < table.strings(key).size(); ++i) {
    const std::string name = name_of(table.strings(key)[i]);
    if (const auto found = there.find(name); found != there.end()) {
      problems.add(table.element_place(key, i), fmt::format("'{}' stands in '{}' and in '{}'", name, other, key),
                   fmt::format("'{}' is at line {}", other, table.element_place(other, found->second).line));
    }
  }
}

// Nobody takes unsigned packages without having said so.
void check_repositories(const DocumentTable& root, Problems& problems) {
  check_unique(root.tables("repository"), "name", "repositories", problems);
  for (const DocumentTable& repository : root.tables("repository")) {
    if (!repository.written("key") && !repository.boolean("unsigned")) {
      problems.add(repository.place(), "[[repository]] has no 'key'",
                   "key = \"files/NAME.asc\"; unsigned = true takes packages that nobody signed");
    } else if (repository.written("key") && repository.boolean("unsigned")) {
      problems.add(repository.key_place("unsigned"), "a repository has a 'key' or is 'unsigned', not both",
                   "leave one of them out");
    }
    if (repository.string("release").ends_with('/') && repository.written("components")) {
      problems.add(repository.key_place("components"), "a folder has no components",
                   "they go with a release that does not end with '/'");
    }
  }
  for (const DocumentTable& pin : root.tables("pin")) {
    if (pin.has("priority") && pin.integer("priority") == 0) {
      problems.add(pin.value_place("priority"), "a priority of 0 means nothing to apt", "see apt_preferences(5)");
    }
  }
}

constexpr std::array source_kinds{"tar", "oci", "disk", "rpm", "pacman"};

// A key of [source] that says something of another kind of source only.
void check_fits(const DocumentTable& source, const char* key, std::initializer_list<std::string_view> kinds,
                std::string_view hint, Problems& problems) {
  const bool fits = std::ranges::any_of(kinds, [&](std::string_view kind) { return source.written(kind); });
  if (source.written(key) && !fits) {
    problems.add(source.key_place(key), fmt::format("'{}' says nothing of this source", key), std::string(hint));
  }
}

// Trees that are there already have their packages.
void check_no_packages(const DocumentTable& root, Problems& problems) {
  const DocumentTable& packages = root.table("packages");
  if (packages.present() && !root.table("source").written("rpm") && !root.table("source").written("pacman")) {
    problems.add(packages.place(), "[packages] needs a source of packages",
                 "a [[script]] with network = true can install some with the tree's own programs");
  }
  for (const char* key : {"remove", "recommends"}) {
    if (packages.written(key) && root.table("source").present()) {
      problems.add(packages.key_place(key), fmt::format("'{}' is for packages of apt", key));
    }
  }
  for (const char* table : {"repository", "pin"}) {
    for (const DocumentTable& item : root.tables(table)) {
      problems.add(item.place(), fmt::format("[[{}]] is for packages of apt", table),
                   "it goes with [distribution], not with [source]");
    }
  }
  for (const DocumentTable& script : root.tables("script")) {
    if (script.string("phase") == "setup" || script.string("phase") == "essential") {
      problems.add(script.value_place("phase"),
                   fmt::format("a tree of [source] has no phase '{}'", script.string("phase")),
                   "customize and final are there");
    }
  }
}

void check_tree_source(const DocumentTable& root, Problems& problems) {
  const DocumentTable& source = root.table("source");
  if (!source.present()) {
    return;
  }
  if (root.table("distribution").present()) {
    problems.add(source.place(), "a recipe has [distribution] or [source], not both",
                 fmt::format("[distribution] is at line {}", root.table("distribution").place().line));
  }
  const char* first = nullptr;
  for (const char* kind : source_kinds) {
    if (source.written(kind) && first != nullptr) {
      problems.add(source.key_place(kind), fmt::format("[source] has '{}' and '{}'", first, kind), "one of them");
    } else if (source.written(kind)) {
      first = kind;
    }
  }
  if (first == nullptr) {
    problems.add(source.place(), "[source] names no source", "one of tar, oci, disk, rpm, pacman");
  }
  if (source.written("disk") && !source.written("format")) {
    problems.add(source.key_place("disk"), "'disk' needs 'format'",
                 "format = \"qcow2\" or \"raw\"; it is never guessed");
  }
  check_fits(source, "format", {"disk"}, "it goes with 'disk'", problems);
  check_fits(source, "sha256", {"tar", "oci", "disk"}, "it goes with 'tar', 'oci' and 'disk'", problems);
  check_fits(source, "release", {"rpm"}, "it goes with 'rpm'", problems);
  check_fits(source, "keys", {"rpm", "pacman"}, "it goes with 'rpm' and 'pacman'", problems);
  check_fits(source, "unsigned", {"rpm", "pacman"}, "it goes with 'rpm' and 'pacman'", problems);
  const bool packages = source.written("rpm") || source.written("pacman");
  if (packages && source.strings("keys").empty() && !source.boolean("unsigned")) {
    problems.add(source.place(), "[source] has no 'keys'",
                 "keys = [\"files/packages.asc\"]; unsigned = true takes packages that nobody signed");
  }
  if (packages && root.table("packages").strings("install").empty()) {
    problems.add(source.place(), "no packages to install", "[packages] install names some");
  }
  check_no_packages(root, problems);
}

void check_release(const Document& document, Problems& problems) {
  const DocumentTable& distribution = document.root().table("distribution");
  if (document.root().table("source").present()) {
    return;
  }
  if (distribution.written("release") || !distribution.has("name")) {
    return;
  }
  const HostRelease host = host_release();
  if (distribution.string("name") != host.id || host.codename.empty()) {
    problems.add(distribution.place(), "[distribution] lacks 'release'",
                 fmt::format("this host is no {}, so say which release is meant", distribution.string("name")));
  }
}

}  // namespace

void check_recipe(const Document& document, Problems& problems) {
  const DocumentTable& root = document.root();
  check_repositories(root, problems);
  check_unique(root.tables("group"), "name", "groups", problems);
  check_unique(root.tables("tree"), "path", "trees", problems);
  check_users(root.tables("user"), problems);
  check_paths(root.tables("file"), problems);
  check_one_of_two(root.tables("file"), "[[file]]", problems);
  check_one_of_two(root.tables("script"), "[[script]]", problems);
  check_disjoint(root.table("packages"), "remove", "install", problems);
  const DocumentTable& services = root.table("system").table("services");
  check_disjoint(services, "disable", "enable", problems);
  check_disjoint(services, "mask", "enable", problems);
  check_release(document, problems);
  check_tree_source(root, problems);
  const DocumentTable& filesystem = root.table("filesystem");
  if (filesystem.written("headroom") && filesystem.has("size") && filesystem.integer("size") != 0) {
    problems.add(filesystem.key_place("headroom"), "'headroom' says nothing of a size that is given",
                 "it goes with size = \"auto\"");
  }
  const DocumentTable& boot = root.table("boot");
  const StringList& removed = root.table("packages").strings("remove");
  if (const auto found = std::ranges::find(removed, boot.string("kernel")); found != removed.end()) {
    const auto index = static_cast<std::size_t>(found - removed.begin());
    problems.add(root.table("packages").element_place("remove", index),
                 fmt::format("'{}' is removed, and it is the kernel in [boot]", *found),
                 "kernel = \"none\" makes an image without boot files");
  }
}

}  // namespace domsmith
