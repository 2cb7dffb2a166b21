// Names and MACs that domain configs of other tools and of people hold already.
//
// DIR/*.cfg and DIR/auto/* are read line by line for `name =` and `mac=`, tolerant of anything that a human wrote:
// libxlutil is not asked, so a file that is no valid config cannot stop the scan. Between the scan and the moment a
// config of ours is in place another tool may write the same MAC: no lock is shared with people's editors. Processes of
// domsmith are safe from each other by the registry.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct XenConfigs {
  std::map<std::string, std::string, std::less<>> names;  // domain name -> the first file that holds it
  std::map<std::string, std::string, std::less<>> macs;   // canonical MAC -> the first file that holds it
  std::vector<std::string> warnings;                      // files that could not be read, each a sentence
};

// `directory` is /etc/xen or its like below --root; where it is absent nothing is taken.
XenConfigs scan_xen_configs(const std::filesystem::path& directory);
// What one config's text holds: for tests and fuzzing.
void scan_xen_config_text(std::string_view text, const std::string& file, XenConfigs& into);

}  // namespace domsmith
