#include "provision/domain/config_glance.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "provision/domain/config_folder.h"
#include "provision/domain/xl_config.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view ending = ".cfg";
constexpr std::string_view staged_ending = ".cfg.domsmith-new";

// The next line of `rest`, which becomes what follows.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// `key = "value"`; empty where the line is another's.
std::string_view value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) {
    return {};
  }
  line.remove_prefix(key.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with('=')) {
    return {};
  }
  line.remove_prefix(std::min(line.find('"'), line.size() - 1) + 1);
  return line.substr(0, line.find('"'));
}

void take_targets(std::string_view line, std::vector<std::string>& targets) {
  static constexpr std::string_view word = "target=";
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::string_view rest = line.substr(at + word.size());
    targets.emplace_back(rest.substr(0, rest.find('"')));
  }
}

struct Names {
  std::vector<std::string> configs;
  std::vector<fs::path> half_made;
};

Result<Names> names_in(const fs::path& directory) {
  Names names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') && name.ends_with(staged_ending)) {
      names.half_made.push_back(entry->path());
    } else if (!name.starts_with('.') && name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      names.configs.push_back(std::move(name));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(fmt::format("cannot list {}", directory.string()), error.value());
  }
  std::ranges::sort(names.configs);
  std::ranges::sort(names.half_made);
  return names;
}

// auto/STEM.cfg -> ../STEM.cfg alone is ours to speak of.
bool links_to(const ConfigFolder& links, const std::string& stem) {
  return links.read_link(fmt::format("{}{}", stem, ending)).value_or(std::nullopt) ==
         fmt::format("../{}{}", stem, ending);
}

Result<void> glance_at_links(const fs::path& directory, ConfigFolderGlance& glance) {
  const auto links = TRY(ConfigFolder::open(directory));
  if (!links) {
    return {};
  }
  Names names = TRY(names_in(directory));
  std::ranges::move(names.half_made, std::back_inserter(glance.half_made));
  for (const std::string& stem : names.configs) {
    if (!links_to(*links, stem)) {
      continue;
    }
    const auto config = std::ranges::lower_bound(glance.configs, stem, {}, &ConfigGlance::stem);
    if (config != glance.configs.end() && config->stem == stem) {
      config->linked = true;
    } else {
      glance.dangling.push_back(stem);
    }
  }
  return {};
}

}  // namespace

ConfigGlance glance_at_config(std::string_view text) {
  ConfigGlance glance;
  glance.ours = written_by_domsmith(text);
  std::vector<std::pair<std::string_view, std::string*>> keys = {{"name", &glance.name}};
  if (glance.ours) {
    keys.insert(keys.end(), {{"uuid", &glance.uuid}, {"kernel", &glance.kernel}, {"ramdisk", &glance.ramdisk}});
  }
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    for (const auto& [key, into] : keys) {
      if (const std::string_view value = value_of(line, key); !value.empty()) {
        *into = value;
      }
    }
    if (glance.ours && !line.starts_with('#')) {
      take_targets(line, glance.targets);
    }
  }
  return glance;
}

Result<ConfigFolderGlance> glance_at_configs(const fs::path& directory) {
  ConfigFolderGlance glance;
  const auto folder = TRY(ConfigFolder::open(directory));
  if (!folder) {
    return glance;
  }
  Names names = TRY(names_in(directory));
  glance.half_made = std::move(names.half_made);
  glance.configs.reserve(names.configs.size());
  for (const std::string& stem : names.configs) {
    const auto text = folder->read(fmt::format("{}{}", stem, ending));
    if (!text) {
      glance.unreadable.push_back(text.error().what);
    } else if (*text) {
      glance.configs.push_back(glance_at_config(**text));
      glance.configs.back().stem = stem;
    }
  }
  TRY(glance_at_links(directory / "auto", glance));
  return glance;
}

}  // namespace domsmith
