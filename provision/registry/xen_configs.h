// Names and MACs that domain configs of other tools and of people hold already.
//
// DIR/*.cfg and DIR/auto/* are read line by line for `name =` and `mac=`, tolerant of anything that a human wrote:
// libxlutil is not asked, so a file that is no valid config cannot stop the scan. Between the scan and the moment a
// config of ours is in place another tool may write the same MAC: no lock is shared with people's editors. Processes of
// domsmith are safe from each other by the registry.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct XenConfigs {
  std::map<std::string, std::string, std::less<>> names;  // domain name -> the first file that holds it
  std::map<std::string, std::string, std::less<>> macs;   // canonical MAC -> the first file that holds it
  std::vector<std::string> warnings;                      // files that could not be read, each a sentence
  std::size_t files_read = 0;                             // the others were known (config_memory.h)
};

// `directory` is /etc/xen or its like below --root; where it is absent nothing is taken. `memory` is the file that
// knows unchanged configs from one scan to the next; empty: all are read.
XenConfigs scan_xen_configs(const std::filesystem::path& directory, const std::filesystem::path& memory = {});
// So that the next scan need not read what was just written: DIR/NAME.cfg of each, where they are many.
void remember_xen_configs(const std::filesystem::path& directory, const std::filesystem::path& memory,
                          std::span<const std::string> names);
// What one config's text holds: for tests and fuzzing.
void scan_xen_config_text(std::string_view text, const std::string& file, XenConfigs& into);

}  // namespace domsmith
