// Which of an image's files become the hypervisor: hypervisor/left-out.txt and hypervisor/modules.txt.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

// The files of packages, by the package's name: paths as they are behind the merged /usr ("/usr/bin/ls", not
// "/bin/ls").
using PackageFiles = std::map<std::string, std::set<std::string, std::less<>>>;

// Patterns of paths, one a line, or "package NAME" for all files of a package; '#' begins a comment. The last line that
// fits a path counts; '!' keeps what fits.
class LeftOut {
 public:
  static LeftOut parse(std::string_view text);
  // The same rules, which now know what the image's packages hold. not_found: a rule names a package that is not there.
  [[nodiscard]] Result<LeftOut> for_packages(const PackageFiles& packages) const;
  [[nodiscard]] bool leaves_out(std::string_view path) const;
  [[nodiscard]] bool keeps(std::string_view path) const;  // by a '!'
  // The rule that fits; empty: none. For tests and for people who ask why.
  [[nodiscard]] std::string_view rule_for(std::string_view path) const;

 private:
  struct Rule {
    std::string pattern;
    bool keeps = false;
    std::string package = {};  // instead of a pattern
    std::set<std::string, std::less<>> files = {};
  };
  [[nodiscard]] const Rule* last_that_fits(std::string_view path) const;
  std::vector<Rule> rules_;
};

// Names of kernel modules under headings "[purpose]".
struct ModuleList {
  std::vector<std::string> early;           // [early]: the initramfs loads them always
  std::vector<std::string> early_hardware;  // [early hardware]: where a device asks for them
  std::vector<std::string> early_medium;    // [early medium]: where the slot is a file of a medium
  std::vector<std::string> early_arrays;    // [early arrays]: where a disk is one of an md array
  std::vector<std::string> all;             // of every heading
};
// bad_input: a name above the first heading, or a heading without its bracket.
Result<ModuleList> parse_module_list(std::string_view text, const std::string& file);

struct SystemRules {
  LeftOut left_out;
  ModuleList modules;
};
// From left-out.txt and modules.txt of a folder.
Result<SystemRules> load_rules(const std::filesystem::path& folder);

}  // namespace domsmith
