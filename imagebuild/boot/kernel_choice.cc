#include "imagebuild/boot/kernel_choice.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace domsmith::boot {
namespace {

// The Depends field of one package's paragraph.
std::string dependencies_of(std::string_view package, std::string_view dpkg_status) {
  bool inside = false;
  for (const std::string& line : split_lines(dpkg_status)) {
    if (line.starts_with("Package: ")) {
      inside = std::string_view(line).substr(9) == package;
    } else if (inside && line.starts_with("Depends: ")) {
      return line.substr(9);
    }
  }
  return {};
}

bool names_package(std::string_view text, const std::string& name) {
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const auto behind = text.substr(at + name.size());
    const bool starts = at == 0 || text[at - 1] == ' ';
    if (starts &&
        (behind.empty() || std::string_view(" ,|(").contains(behind.front()) || behind.starts_with("-unsigned"))) {
      return true;
    }
  }
  return false;
}

// 6.1.0-9 comes before 6.1.0-10 (strverscmp(3)).
bool older(const std::string& left, const std::string& right) { return ::strverscmp(left.c_str(), right.c_str()) < 0; }

}  // namespace

std::string choose_kernel(const std::vector<std::string>& versions, std::string_view package,
                          std::string_view dpkg_status) {
  const std::string dependencies = dependencies_of(package, dpkg_status);
  std::vector<std::string> wanted;
  std::ranges::copy_if(versions, std::back_inserter(wanted), [&](const std::string& version) {
    return names_package(package, "linux-image-" + version) || names_package(dependencies, "linux-image-" + version);
  });
  const std::vector<std::string>& candidates = wanted.empty() ? versions : wanted;
  return candidates.empty() ? std::string() : *std::ranges::max_element(candidates, older);
}

}  // namespace domsmith::boot
