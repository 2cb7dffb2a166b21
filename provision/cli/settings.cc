#include "provision/cli/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/schema.h"
#include "lvm-snapshots/store_spec.h"
#include "provision/registry/mac.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

std::optional<Complaint> store_complaint(std::string_view text) { return complaint_of(parse_store_spec(text)); }

std::optional<Complaint> mac_complaint(std::string_view text) { return complaint_of(MacPolicy::parse(text)); }

// dev_valid_name() of Linux, net/core/dev.c: up to 15 bytes, neither '/', ':' nor space.
std::optional<Complaint> bridge_complaint(std::string_view text) {
  const bool bad =
      text.empty() || text.size() > 15 || text == "." || text == ".." || std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte >= 0x7f || c == '/' || c == ':';
      });
  if (bad) {
    return Complaint{.what = fmt::format("'{}' cannot be the name of a bridge", text),
                     .hint = "up to 15 letters, as `ip link` shows it"};
  }
  return std::nullopt;
}

KeySchema text_key(std::string name, std::string doc, std::string example, StringCheck check = {}) {
  return {.name = std::move(name),
          .type = ValueType::string,
          .doc = std::move(doc),
          .example = std::move(example),
          .maximum = 4095,
          .check = std::move(check)};
}

const Schema& settings_schema() {
  static const Schema schema{
      .title = "settings",
      .root = {.keys = {text_key("store", "the store that is meant where --store is not given", "\"lvm:vg0/pool\"",
                                 store_complaint),
                        text_key("bridge", "the bridge that guests are connected to", "\"xenbr0\"", bridge_complaint),
                        text_key("mac_prefix", "the first bytes of guests' MACs", "\"00:16:3e\"", mac_complaint),
                        text_key("templates", "folder of domain templates", "\"/etc/domsmith/templates\""),
                        text_key("recipes", "folder in which `build NAME` looks for NAME.toml", "\"/srv/recipes\""),
                        text_key("boot", "folder of kernels and initramfs", "\"/var/lib/domsmith/boot\"")}}};
  return schema;
}

// "CMAKE_HOME_DIRECTORY:INTERNAL=/src/domsmith" of a build tree's CMakeCache.txt.
std::optional<fs::path> source_of_build_tree(const fs::path& build) {
  const Result<std::string> cache = read_file(build / "CMakeCache.txt");
  if (!cache) {
    return std::nullopt;
  }
  constexpr std::string_view key = "\nCMAKE_HOME_DIRECTORY:INTERNAL=";
  const std::size_t at = cache->find(key);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const std::size_t from = at + key.size();
  return fs::path(cache->substr(from, cache->find('\n', from) - from));
}

}  // namespace

fs::path data_folder(const fs::path& program) {
  const fs::path bin = program.parent_path();
  if (const auto source = source_of_build_tree(bin.parent_path())) {
    return *source;
  }
  std::error_code ignored;
  if (const fs::path share = bin.parent_path() / "share/domsmith"; fs::is_directory(share, ignored)) {
    return share;
  }
  return "/usr/share/domsmith";
}

Result<Settings> read_settings(const fs::path& file, bool required, const Paths& paths, const fs::path& data) {
  Settings settings;
  settings.templates = data / "templates";
  settings.recipes = data / "rootfs-recipes";
  settings.boot = paths.boot();
  std::error_code ignored;
  if (!required && !fs::exists(file, ignored)) {
    return settings;
  }
  const Document document = TRY(load_document(file.string(), settings_schema()));
  const DocumentTable& root = document.root();
  const auto take_text = [&](const char* key, std::string& into) {
    if (root.written(key)) {
      into = root.string(key);
    }
  };
  const auto take_path = [&](const char* key, fs::path& into) {
    if (root.written(key)) {
      into = (fs::absolute(file).parent_path() / root.string(key)).lexically_normal();
    }
  };
  take_text("store", settings.store);
  take_text("bridge", settings.bridge);
  take_text("mac_prefix", settings.mac_prefix);
  take_path("templates", settings.templates);
  take_path("recipes", settings.recipes);
  take_path("boot", settings.boot);
  return settings;
}

Result<fs::path> recipe_path(const Settings& settings, std::string_view word) {
  const fs::path path(word);
  std::error_code ignored;
  const bool looks_like_a_path = word.contains('/') || path.extension() == ".toml";
  if (looks_like_a_path || fs::exists(path, ignored)) {
    return path;
  }
  const fs::path named = settings.recipes / (std::string(word) + ".toml");
  if (fs::exists(named, ignored)) {
    return named;
  }
  std::vector<std::string> known;
  for (const auto& entry : fs::directory_iterator(settings.recipes, ignored)) {
    if (is_named_as_recipe(entry.path())) {
      known.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(known);
  const std::string near = nearest(word, known);
  std::string remedy =
      fmt::format("give the path of a recipe, or one of {}: {}", settings.recipes.string(), join(known, ", "));
  if (!near.empty()) {
    remedy = fmt::format("did you mean '{}'?", near);
  } else if (known.empty()) {
    remedy = fmt::format(
        "{} holds none: give the path of a recipe, install domsmith, which brings some, or name a folder of yours in "
        "the settings (recipes = \"…\"; another file of settings: --config FILE)",
        settings.recipes.string());
  }
  return fail(ErrorCode::bad_input, fmt::format("there is no recipe '{}'", word), std::move(remedy));
}

}  // namespace domsmith
