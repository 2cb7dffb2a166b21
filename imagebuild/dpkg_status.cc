#include <algorithm>

#include "base/text.h"
#include "imagebuild/build.h"

namespace domsmith {
namespace {

// "Package: base-files" -> "base-files" for the field "Package".
bool take_field(const std::string& line, std::string_view field, std::string& into) {
  if (!line.starts_with(field) || line.size() <= field.size() || line[field.size()] != ':') {
    return false;
  }
  into = trimmed(std::string_view(line).substr(field.size() + 1));
  return true;
}

}  // namespace

// dpkg's database (dpkg(1), FILES): paragraphs, an empty line between two. "Status: install ok installed".
std::vector<InstalledPackage> installed_packages(std::string_view dpkg_status) {
  std::vector<InstalledPackage> packages;
  InstalledPackage package;
  std::string status;
  const auto end_paragraph = [&] {
    if (!package.name.empty() && status.ends_with(" installed")) {
      packages.push_back(package);
    }
    package = {};
    status.clear();
  };
  for (const std::string& line : split_lines(dpkg_status)) {
    if (line.empty()) {
      end_paragraph();
    } else {
      take_field(line, "Package", package.name) || take_field(line, "Version", package.version) ||
          take_field(line, "Architecture", package.architecture) || take_field(line, "Status", status);
    }
  }
  end_paragraph();
  std::ranges::sort(packages, {}, &InstalledPackage::name);
  return packages;
}

}  // namespace domsmith
