#include "imagebuild/recipe/parse.h"

#include <fmt/format.h>

#include <array>

#include "base/file.h"
#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/host.h"
#include "imagebuild/recipe/openpgp_key.h"
#include "imagebuild/recipe/rules.h"
#include "imagebuild/recipe/sources.h"

namespace domsmith {

namespace {

// A source below the recipe's folder: it is meant from the folder of the file that says it.
std::string located(const Document& document, const std::string& source, Place place) {
  const std::string& folder = document.folder_of(place);
  return folder.empty() || source.empty() ? source : folder + "/" + source;
}

std::string source_of_table(const Document& document, const DocumentTable& table) {
  return located(document, table.string("source"), table.value_place("source"));
}

// The bytes of a [[file]] or [[script]]; "" and a problem where the source cannot be read.
std::string bytes_of(const Document& document, const DocumentTable& table, SourceFolder& folder, Problems& problems) {
  if (!table.has("source")) {
    return table.string("content");
  }
  Result<std::string> read = folder.read(source_of_table(document, table));
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
  std::vector<std::string> files, scripts, keys, repository_keys;
  std::vector<std::vector<RecipeTree::Node>> trees;
};

// What [source] names has to be there now, and not only when the build comes to it.
void read_source_table(const Document& document, SourceFolder& folder, Problems& problems, Sources& sources) {
  const DocumentTable& source = document.root().table("source");
  for (const char* key : {"tar", "oci", "disk"}) {
    if (source.has(key) && !source.string(key).starts_with("docker://")) {
      const std::string path = located(document, source.string(key), source.value_place(key));
      if (const auto found = folder.open(path); !found) {
        problems.add(source.value_place(key), fmt::format("cannot read '{}'", source.string(key)), found.error().what);
      }
    }
  }
  const StringList& keys = source.strings("keys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Place place = source.element_place("keys", i);
    auto bytes = folder.read(located(document, keys[i], place));
    if (!bytes) {
      problems.add(place, fmt::format("cannot read '{}'", keys[i]), bytes.error().what);
    }
    sources.keys.push_back(std::move(bytes).value_or(""));
  }
}

void read_repository_keys(const Document& document, SourceFolder& folder, Problems& problems, Sources& sources) {
  for (const DocumentTable& repository : document.root().tables("repository")) {
    sources.repository_keys.emplace_back();
    if (!repository.has("key")) {
      continue;
    }
    const Place place = repository.value_place("key");
    auto bytes = folder.read(located(document, repository.string("key"), place));
    if (!bytes) {
      problems.add(place, fmt::format("cannot read '{}'", repository.string("key")), bytes.error().what);
    } else if (auto complaint = complaint_of_key(*bytes)) {
      problems.add(place, fmt::format("'{}' {}", repository.string("key"), complaint->what), complaint->hint);
    } else {
      sources.repository_keys.back() = std::move(*bytes);
    }
  }
}

void read_trees(const Document& document, SourceFolder& folder, Problems& problems, Sources& sources) {
  for (const DocumentTable& tree : document.root().tables("tree")) {
    sources.trees.emplace_back();
    if (!tree.has("source") || !tree.has("path")) {
      continue;
    }
    auto nodes = folder.read_tree(source_of_table(document, tree), tree.string("path"));
    if (!nodes) {
      problems.add(tree.value_place("source"), fmt::format("cannot read '{}'", tree.string("source")),
                   nodes.error().what);
      continue;
    }
    sources.trees.back() = std::move(*nodes);
  }
}

void read_sources(const Document& document, SourceFolder& folder, Problems& problems, Sources& sources) {
  read_source_table(document, folder, problems, sources);
  read_repository_keys(document, folder, problems, sources);
  read_trees(document, folder, problems, sources);
  for (const DocumentTable& file : document.root().tables("file")) {
    sources.files.push_back(bytes_of(document, file, folder, problems));
  }
  for (const DocumentTable& script : document.root().tables("script")) {
    sources.scripts.push_back(bytes_of(document, script, folder, problems));
    if (!sources.scripts.back().empty() || script.has("content")) {
      check_interpreter(script, sources.scripts.back(), problems);
    }
  }
}

std::string or_default(const DocumentTable& table, std::string_view key, const std::string& fallback) {
  return table.has(key) ? table.string(key) : fallback;
}

// The package that depends on the distribution's newest kernel for virtual machines, where it has one that runs on Xen.
std::string default_kernel(const std::string& distribution, const std::string& architecture) {
  if (distribution == "ubuntu") {
    return "linux-image-virtual";
  }
  if (architecture == "amd64") {
    return "linux-image-cloud-amd64";
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

RecipeSource source_of(const Document& document, std::vector<std::string> keys) {
  const DocumentTable& table = document.root().table("source");
  using Kind = RecipeSource::Kind;
  RecipeSource source{.kind = Kind::none,
                      .location = {},
                      .format = table.string("format"),
                      .sha256 = table.string("sha256"),
                      .repositories = {},
                      .release = table.string("release"),
                      .keys = table.strings("keys"),
                      .key_bytes = std::move(keys),
                      .is_unsigned = table.boolean("unsigned")};
  static constexpr std::array<std::pair<std::string_view, Kind>, 3> places{
      {{"tar", Kind::tar}, {"oci", Kind::oci}, {"disk", Kind::disk}}};
  for (const auto& [word, kind] : places) {
    if (table.has(word)) {
      source.kind = kind;
      const bool registry = table.string(word).starts_with("docker://");
      source.location = registry ? table.string(word) : located(document, table.string(word), table.value_place(word));
    }
  }
  static constexpr std::array<std::pair<std::string_view, Kind>, 2> managers{
      {{"rpm", Kind::rpm}, {"pacman", Kind::pacman}}};
  for (std::size_t i = 0; i < source.keys.size(); ++i) {
    source.keys[i] = located(document, source.keys[i], table.element_place("keys", i));
  }
  for (const auto& [word, kind] : managers) {
    if (table.written(word)) {
      source.kind = kind;
      source.repositories = table.strings(word);
    }
  }
  return source;
}

RecipeGroup group_of(const DocumentTable& table) {
  RecipeGroup group{.name = table.string("name"), .gid = std::nullopt, .system = table.boolean("system")};
  if (table.has("gid")) {
    group.gid = static_cast<std::uint32_t>(table.integer("gid"));
  }
  return group;
}

RecipeRepository repository_of(const Document& document, const DocumentTable& table, std::string key) {
  const std::string& release = table.string("release");
  const std::vector<std::string> usual =
      release.ends_with('/') ? std::vector<std::string>() : std::vector<std::string>{"main"};
  return {.name = table.string("name"),
          .url = table.string("url"),
          .release = release,
          .components = table.has("components") ? table.strings("components") : usual,
          .key = located(document, table.string("key"), table.value_place("key")),
          .key_bytes = std::move(key),
          .is_unsigned = table.boolean("unsigned")};
}

RecipeTree tree_of(const Document& document, const DocumentTable& table, std::vector<RecipeTree::Node> nodes) {
  return {.path = table.string("path"),
          .source = source_of_table(document, table),
          .owner = table.string("owner"),
          .group = table.string("group"),
          .nodes = std::move(nodes)};
}

RecipeFile file_of(const Document& document, const DocumentTable& table, std::string bytes) {
  return {.path = table.string("path"),
          .bytes = std::move(bytes),
          .source = source_of_table(document, table),
          .mode = static_cast<std::uint32_t>(table.integer("mode")),
          .owner = table.string("owner"),
          .group = table.string("group")};
}

RecipeScript script_of(const Document& document, const DocumentTable& table, std::string bytes, std::size_t number) {
  using Phase = RecipeScript::Phase;
  static constexpr std::array<std::pair<std::string_view, Phase>, 4> phases{{{"setup", Phase::setup},
                                                                             {"essential", Phase::essential},
                                                                             {"customize", Phase::customize},
                                                                             {"final", Phase::final}}};
  RecipeScript script{.phase = Phase::customize,
                      .bytes = std::move(bytes),
                      .name = or_default(table, "source", fmt::format("script {}", number)),
                      .source = source_of_table(document, table),
                      .network = table.boolean("network")};
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
  if (root.table("source").present()) {
    recipe.distribution = {.name = {}, .release = {}, .components = {}, .mirrors = {}};
  }
  const DocumentTable& packages = root.table("packages");
  recipe.packages = {.install = packages.strings("install"),
                     .remove = packages.strings("remove"),
                     .recommends = packages.boolean("recommends")};
  const DocumentTable& filesystem = root.table("filesystem");
  recipe.filesystem = {.type = filesystem.string("type"),
                       .size = static_cast<std::uint64_t>(filesystem.integer("size")),
                       .headroom = filesystem.string("headroom"),
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
  const std::string kernel = root.table("source").present()
                                 ? std::string()  // the newest that the tree has
                                 : default_kernel(recipe.distribution.name, recipe.image.architecture);
  recipe.boot = {.kernel = or_default(boot, "kernel", kernel),
                 .cmdline = boot.string("cmdline"),
                 .modules = boot.strings("modules")};
}

Recipe recipe_of(const Document& document, Sources sources) {
  const DocumentTable& root = document.root();
  Recipe recipe;
  recipe.file = document.file();
  recipe.schema = root.integer("schema");
  fill_tables(root, recipe);
  recipe.source = source_of(document, std::move(sources.keys));
  for (std::size_t i = 0; i < root.tables("repository").size(); ++i) {
    recipe.repositories.push_back(
        repository_of(document, root.tables("repository")[i], std::move(sources.repository_keys[i])));
  }
  for (const DocumentTable& pin : root.tables("pin")) {
    recipe.pins.push_back(
        {.packages = pin.strings("package"), .pin = pin.string("pin"), .priority = pin.integer("priority")});
  }
  for (const DocumentTable& group : root.tables("group")) {
    recipe.groups.push_back(group_of(group));
  }
  for (const DocumentTable& user : root.tables("user")) {
    recipe.users.push_back(user_of(user));
  }
  for (std::size_t i = 0; i < root.tables("tree").size(); ++i) {
    recipe.trees.push_back(tree_of(document, root.tables("tree")[i], std::move(sources.trees[i])));
  }
  for (std::size_t i = 0; i < root.tables("file").size(); ++i) {
    recipe.files.push_back(file_of(document, root.tables("file")[i], std::move(sources.files[i])));
  }
  for (std::size_t i = 0; i < root.tables("script").size(); ++i) {
    recipe.scripts.push_back(script_of(document, root.tables("script")[i], std::move(sources.scripts[i]), i + 1));
  }
  return recipe;
}

}  // namespace

Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& file, const RecipeChoices& choices) {
  Sources sources;
  SourceFolder folder(file.parent_path());
  Schema schema = recipe_schema();
  schema.check = [&](const Document& document, Problems& problems) {
    check_recipe(document, problems);
    read_sources(document, folder, problems, sources);
  };
  const Composition composition{.profiles = choices.profiles,
                                .set = choices.variables,
                                .load = [&folder](const std::string& path) { return folder.read(path); }};
  const Document document = TRY(read_composed(text, file.string(), schema, composition));
  return recipe_of(document, std::move(sources));
}

Result<Recipe> load_recipe(const std::filesystem::path& path, const RecipeChoices& choices) {
  const std::string text =
      TRY_AS(read_file(path, document_limit), fmt::format("cannot read the recipe {}", path.string()));
  return parse_recipe(text, path, choices);
}

bool is_named_as_recipe(const std::filesystem::path& file) {
  return file.extension() == ".toml" && file.stem().extension() != ".lock";
}

}  // namespace domsmith
