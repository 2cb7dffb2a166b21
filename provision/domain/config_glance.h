// A quick look at the whole folder of domain configs, for those who compare (audit) or tidy up (gc): thousands of files
// in the time of reading them. libxlutil is not asked; what domsmith wrote has a line a setting.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct ConfigGlance {
  std::string stem;   // of the file: "web-1" for web-1.cfg
  bool ours = false;  // written_by_domsmith(); what stands below `name` is known of such files only
  std::string name;
  std::string uuid;
  std::string kernel;
  std::string ramdisk;
  std::vector<std::string> targets;  // of disks
  bool linked = false;               // auto/STEM.cfg is a link to it
};

struct ConfigFolderGlance {
  std::vector<ConfigGlance> configs;             // sorted by stem
  std::vector<std::string> unreadable;           // sentences
  std::vector<std::string> dangling;             // stems of links auto/STEM.cfg -> ../STEM.cfg without a file
  std::vector<std::filesystem::path> half_made;  // what a crash left of put_configs(); another may be writing it now
};

// An absent folder is empty.
Result<ConfigFolderGlance> glance_at_configs(const std::filesystem::path& directory);
// What one file's text says.
ConfigGlance glance_at_config(std::string_view text);

}  // namespace domsmith
