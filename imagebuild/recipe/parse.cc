#include "imagebuild/recipe/parse.h"

#include <fmt/format.h>

#include <array>

#include "base/file.h"
#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/host.h"
#include "imagebuild/recipe/rules.h"
#include "imagebuild/recipe/sources.h"

namespace domsmith {

namespace {

// The bytes of a [[file]] or [[script]]; "" and a problem where the source cannot be read.
std::string bytes_of(const DocumentTable& table, SourceFolder& folder, Problems& problems) {
  if (!table.has("source")) {
    return table.string("content");
  }
  Result<std::string> read = folder.read(table.string("source"));
  if (!read) {
    problems.add(table.value_place("source"), fmt::format("cannot read '{}'", table.string("source")),
                 read.error().what);
    return {};
  }
  return std::move(*read);
}

void check_interpreter(const DocumentTable& script, const std::string& bytes, Problems& problems) {
  const bool given = script.has("source") || script.has("content");
  if (given && !bytes.starts_with("#!/")) {
    problems.add(script.value_place(script.has("source") ? "source" : "content"), "the script names no interpreter",
                 "its first line begins with #!/, for example #!/bin/sh -e");
  }
}

struct Sources {
  std::vector<std::string> files, scripts;
};

void read_sources(const Document& document, Problems& problems, Sources& sources) {
  SourceFolder folder(std::filesystem::path(document.file()).parent_path());
  for (const DocumentTable& file : document.root().tables("file")) {
    sources.files.push_back(bytes_of(file, folder, problems));
  }
  for (const DocumentTable& script : document.root().tables("script")) {
    sources.scripts.push_back(bytes_of(script, folder, problems));
    if (!sources.scripts.back().empty() || script.has("content")) {
      check_interpreter(script, sources.scripts.back(), problems);
    }
  }
}

std::string or_default(const DocumentTable& table, std::string_view key, const std::string& fallback) {
  return table.has(key) ? table.string(key) : fallback;
}

// The package that depends on the distribution's newest kernel.
std::string default_kernel(const std::string& distribution, const std::string& architecture) {
  if (distribution == "ubuntu") {
    return "linux-image-virtual";
  }
  if (architecture == "i386") {
    return "linux-image-686-pae";
  }
  return architecture == "armhf" ? "linux-image-armmp" : "linux-image-" + architecture;
}

RecipeUser user_of(const DocumentTable& table) {
  const std::string& name = table.string("name");
  RecipeUser user{.name = name,
                  .uid = std::nullopt,
                  .groups = table.strings("groups"),
                  .shell = table.string("shell"),
                  .home = or_default(table, "home", name == "root" ? "/root" : "/home/" + name),
                  .password = table.string("password"),
                  .ssh_keys = table.strings("ssh-keys"),
                  .system = table.boolean("system")};
  if (table.has("uid")) {
    user.uid = static_cast<std::uint32_t>(table.integer("uid"));
  }
  return user;
}

RecipeFile file_of(const DocumentTable& table, std::string bytes) {
  return {.path = table.string("path"),
          .bytes = std::move(bytes),
          .source = table.string("source"),
          .mode = static_cast<std::uint32_t>(table.integer("mode")),
          .owner = table.string("owner"),
          .group = table.string("group")};
}

RecipeScript script_of(const DocumentTable& table, std::string bytes, std::size_t number) {
  using Phase = RecipeScript::Phase;
  static constexpr std::array<std::pair<std::string_view, Phase>, 4> phases{{{"setup", Phase::setup},
                                                                             {"essential", Phase::essential},
                                                                             {"customize", Phase::customize},
                                                                             {"final", Phase::final}}};
  RecipeScript script{.phase = Phase::customize,
                      .bytes = std::move(bytes),
                      .name = or_default(table, "source", fmt::format("script {}", number)),
                      .source = table.string("source")};
  for (const auto& [word, phase] : phases) {
    if (word == table.string("phase")) {
      script.phase = phase;
    }
  }
  return script;
}

void fill_tables(const DocumentTable& root, Recipe& recipe) {
  const DocumentTable& image = root.table("image");
  recipe.image = {.name = image.string("name"),
                  .version = image.string("version"),
                  .architecture = or_default(image, "architecture", host_architecture())};
  const DocumentTable& distribution = root.table("distribution");
  recipe.distribution = {.name = distribution.string("name"),
                         .release = or_default(distribution, "release", host_release().codename),
                         .components = distribution.strings("components"),
                         .mirrors = distribution.strings("mirror")};
  const DocumentTable& packages = root.table("packages");
  recipe.packages = {.install = packages.strings("install"),
                     .remove = packages.strings("remove"),
                     .recommends = packages.boolean("recommends")};
  const DocumentTable& filesystem = root.table("filesystem");
  recipe.filesystem = {.type = filesystem.string("type"),
                       .size = static_cast<std::uint64_t>(filesystem.integer("size")),
                       .label = filesystem.string("label")};
  const DocumentTable& system = root.table("system");
  recipe.system = {.hostname = or_default(system, "hostname", recipe.image.name),
                   .timezone = system.string("timezone"),
                   .locale = system.string("locale"),
                   .root_password = system.string("root-password"),
                   .services_enable = system.table("services").strings("enable"),
                   .services_disable = system.table("services").strings("disable"),
                   .services_mask = system.table("services").strings("mask")};
  const DocumentTable& boot = root.table("boot");
  recipe.boot = {
      .kernel = or_default(boot, "kernel", default_kernel(recipe.distribution.name, recipe.image.architecture)),
      .cmdline = boot.string("cmdline"),
      .modules = boot.strings("modules")};
}

Recipe recipe_of(const Document& document, Sources sources) {
  const DocumentTable& root = document.root();
  Recipe recipe;
  recipe.file = document.file();
  recipe.schema = root.integer("schema");
  fill_tables(root, recipe);
  for (const DocumentTable& user : root.tables("user")) {
    recipe.users.push_back(user_of(user));
  }
  for (std::size_t i = 0; i < root.tables("file").size(); ++i) {
    recipe.files.push_back(file_of(root.tables("file")[i], std::move(sources.files[i])));
  }
  for (std::size_t i = 0; i < root.tables("script").size(); ++i) {
    recipe.scripts.push_back(script_of(root.tables("script")[i], std::move(sources.scripts[i]), i + 1));
  }
  return recipe;
}

}  // namespace

Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& file) {
  Sources sources;
  Schema schema = recipe_schema();
  schema.check = [&](const Document& document, Problems& problems) {
    check_recipe(document, problems);
    read_sources(document, problems, sources);
  };
  const Document document = TRY(read_document(text, file.string(), schema));
  return recipe_of(document, std::move(sources));
}

Result<Recipe> load_recipe(const std::filesystem::path& path) {
  const std::string text =
      TRY_AS(read_file(path, document_limit), fmt::format("cannot read the recipe {}", path.string()));
  return parse_recipe(text, path);
}

}  // namespace domsmith
