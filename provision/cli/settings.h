// What /etc/domsmith/domsmith.toml says, defaults filled in. Every key can be left out; so can the file.
//
//     store = "lvm:vg0/pool"        # or "dir:/srv/domsmith"; default: none, --store must say
//     bridge = "xenbr0"
//     templates = "/etc/domsmith/templates"
//     recipes = "/srv/recipes"
//     mac_prefix = "00:16:3e"       # three bytes; locally administered ones are fine, multicast ones are not
//     boot = "/var/lib/domsmith/boot"
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "provision/cli/paths.h"

namespace domsmith {

struct Settings {
  std::string store;  // as open_store() takes it; empty: none is set
  std::string bridge = "xenbr0";
  std::string mac_prefix = "00:16:3e";  // as MacPolicy::parse() takes it
  std::filesystem::path templates;      // folder of domain templates
  std::filesystem::path recipes;        // folder in which `build NAME` looks for NAME.toml
  std::filesystem::path boot;           // boot files by content hash
};

// Where the program's own data lies: beside the sources when it runs from a build tree (PREFIX/build/…/bin), otherwise
// PREFIX/share/domsmith of its own path, otherwise /usr/share/domsmith.
std::filesystem::path data_folder(const std::filesystem::path& program);

// Reads `file`; an absent one gives the defaults, unless `required` (it was named with --config). A relative path in
// the file is meant from the file's folder. All errors of the file come in one Error.
Result<Settings> read_settings(const std::filesystem::path& file, bool required, const Paths& paths,
                               const std::filesystem::path& data);

// The file that `build WORD` means: WORD where it is a path, otherwise WORD.toml in the recipes' folder.
Result<std::filesystem::path> recipe_path(const Settings& settings, std::string_view word);

}  // namespace domsmith
