// Which paths of a package dpkg leaves out: path-exclude and path-include of dpkg(1), in the order given. The last that
// fits a path counts; a folder that an include may need is kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imagebuild/tree/entry.h"

namespace domsmith::engine {

class PathFilter {
 public:
  // The text of a dpkg.cfg(5); its other options are none of ours.
  void read(std::string_view configuration);
  [[nodiscard]] bool leaves_out(const Entry& entry) const;
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    bool include = false;
    std::string pattern;  // fnmatch(3), against "/usr/share/…"
  };
  std::vector<Rule> rules_ = {};
};

}  // namespace domsmith::engine
