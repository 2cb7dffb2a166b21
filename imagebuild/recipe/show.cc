#include "imagebuild/recipe/show.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/json_text.h"
#include "imagebuild/recipe/describe.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/write.h"

namespace domsmith {

namespace {

void fill_user(const RecipeUser& user, DocumentTable& table) {
  table.set("name", user.name);
  table.set("ssh-keys", user.ssh_keys);
  if (user.name == "root") {  // the rest of root is not the recipe's to set
    return;
  }
  if (user.uid) {
    table.set("uid", std::int64_t{*user.uid});
  }
  table.set("groups", user.groups);
  table.set("shell", user.shell);
  table.set("home", user.home);
  table.set("password", user.password);
  table.set("system", user.system);
}

void fill_group(const RecipeGroup& group, DocumentTable& table) {
  table.set("name", group.name);
  if (group.gid) {
    table.set("gid", std::int64_t{*group.gid});
  }
  table.set("system", group.system);
}

void fill_tree(const RecipeTree& tree, DocumentTable& table) {
  table.set("path", tree.path);
  table.set("source", tree.source);
  table.set("owner", tree.owner);
  table.set("group", tree.group);
}

void fill_bytes(const std::string& source, const std::string& bytes, DocumentTable& table) {
  if (source.empty()) {
    table.set("content", bytes);
  } else {
    table.set("source", source);
  }
}

void fill_file(const RecipeFile& file, DocumentTable& table) {
  table.set("path", file.path);
  fill_bytes(file.source, file.bytes, table);
  table.set("mode", std::int64_t{file.mode});
  table.set("owner", file.owner);
  table.set("group", file.group);
}

void fill_script(const RecipeScript& script, DocumentTable& table) {
  static constexpr std::array<const char*, 4> phases{"setup", "essential", "customize", "final"};
  table.set("phase", std::string(phases.at(static_cast<std::size_t>(script.phase))));
  fill_bytes(script.source, script.bytes, table);
  table.set("network", script.network);
}

void fill_source(const RecipeSource& from, DocumentTable& source) {
  using Kind = RecipeSource::Kind;
  static constexpr std::array<const char*, 6> words{"", "tar", "oci", "disk", "rpm", "pacman"};
  const char* word = words.at(static_cast<std::size_t>(from.kind));
  if (from.kind == Kind::rpm || from.kind == Kind::pacman) {
    source.set(word, from.repositories);
    source.set("keys", from.keys);
    source.set("unsigned", from.is_unsigned);
  } else {
    source.set(word, from.location);
  }
  const auto set_given = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      source.set(key, value);
    }
  };
  set_given("format", from.format);
  set_given("sha256", from.sha256);
  set_given("release", from.release);
}

void fill_repository(const RecipeRepository& repository, DocumentTable& table) {
  table.set("name", repository.name);
  table.set("url", repository.url);
  table.set("release", repository.release);
  if (!repository.components.empty()) {
    table.set("components", repository.components);
  }
  if (!repository.key.empty()) {
    table.set("key", repository.key);
  }
  table.set("unsigned", repository.is_unsigned);
}

void fill_pin(const RecipePin& pin, DocumentTable& table) {
  table.set("package", pin.packages);
  table.set("pin", pin.pin);
  table.set("priority", pin.priority);
}

void fill_source_of_packages(const Recipe& recipe, DocumentTable& root) {
  if (recipe.source.kind != RecipeSource::Kind::none) {
    fill_source(recipe.source, root.edit("source"));
    if (!recipe.packages.install.empty()) {
      root.edit("packages").set("install", recipe.packages.install);
    }
    return;
  }
  DocumentTable& distribution = root.edit("distribution");
  distribution.set("name", recipe.distribution.name);
  distribution.set("release", recipe.distribution.release);
  distribution.set("components", recipe.distribution.components);
  distribution.set("mirror", recipe.distribution.mirrors);
  for (const RecipeRepository& repository : recipe.repositories) {
    fill_repository(repository, root.append("repository"));
  }
  for (const RecipePin& pin : recipe.pins) {
    fill_pin(pin, root.append("pin"));
  }
  DocumentTable& packages = root.edit("packages");
  packages.set("install", recipe.packages.install);
  packages.set("remove", recipe.packages.remove);
  packages.set("recommends", recipe.packages.recommends);
}

void fill_system(const Recipe::System& from, DocumentTable& system) {
  system.set("hostname", from.hostname);
  system.set("timezone", from.timezone);
  system.set("locale", from.locale);
  system.set("root-password", from.root_password);
  DocumentTable& services = system.edit("services");
  services.set("enable", from.services_enable);
  services.set("disable", from.services_disable);
  services.set("mask", from.services_mask);
}

DocumentTable document_of(const Recipe& recipe) {
  DocumentTable root(recipe_schema().root);
  root.set("schema", recipe.schema);
  DocumentTable& image = root.edit("image");
  image.set("name", recipe.image.name);
  image.set("version", recipe.image.version);
  image.set("architecture", recipe.image.architecture);
  fill_source_of_packages(recipe, root);
  DocumentTable& filesystem = root.edit("filesystem");
  filesystem.set("type", recipe.filesystem.type);
  filesystem.set("size", static_cast<std::int64_t>(recipe.filesystem.size));
  if (recipe.filesystem.size == 0) {
    filesystem.set("headroom", recipe.filesystem.headroom);
  }
  filesystem.set("label", recipe.filesystem.label);
  fill_system(recipe.system, root.edit("system"));
  for (const RecipeGroup& group : recipe.groups) {
    fill_group(group, root.append("group"));
  }
  for (const RecipeTree& tree : recipe.trees) {
    fill_tree(tree, root.append("tree"));
  }
  for (const RecipeUser& user : recipe.users) {
    fill_user(user, root.append("user"));
  }
  for (const RecipeFile& file : recipe.files) {
    fill_file(file, root.append("file"));
  }
  for (const RecipeScript& script : recipe.scripts) {
    fill_script(script, root.append("script"));
  }
  DocumentTable& boot = root.edit("boot");
  if (!recipe.boot.kernel.empty()) {
    boot.set("kernel", recipe.boot.kernel);
  }
  boot.set("cmdline", recipe.boot.cmdline);
  boot.set("modules", recipe.boot.modules);
  return root;
}

}  // namespace

std::string recipe_text(const Recipe& recipe) { return toml_text(document_of(recipe), recipe_schema()); }
nlohmann::json recipe_json(const Recipe& recipe) { return document_json(document_of(recipe), recipe_schema()); }
std::string recipe_sha256(const Recipe& recipe) {
  Sha256 digest;
  // Each with its length before it: what ends one cannot begin another.
  const auto add = [&digest](const std::string& bytes) {
    digest.update(fmt::format("{}\n", bytes.size()));
    digest.update(bytes);
  };
  add(json_line(recipe_json(recipe)));
  for (const RecipeRepository& repository : recipe.repositories) {
    add(repository.key_bytes);
  }
  for (const std::string& key : recipe.source.key_bytes) {
    add(key);
  }
  for (const RecipeTree& tree : recipe.trees) {
    for (const RecipeTree::Node& node : tree.nodes) {
      add(fmt::format("{} {} {:o}", node.path, static_cast<int>(node.kind), node.mode));
      add(node.bytes);
    }
  }
  for (const RecipeFile& file : recipe.files) {
    add(file.bytes);
  }
  for (const RecipeScript& script : recipe.scripts) {
    add(script.bytes);
  }
  return digest.hex();
}
nlohmann::json recipe_json_schema() { return json_schema(recipe_schema()); }
std::string recipe_markdown() { return markdown_reference(recipe_schema()); }

}  // namespace domsmith
