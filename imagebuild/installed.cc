// What package managers left in a tree about what they installed.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/passwords.h"
#include "base/text.h"
#include "imagebuild/build.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/packages/sources.h"

namespace domsmith {
namespace {

constexpr const char* dpkg_status = "/var/lib/dpkg/status";
constexpr const char* pacman_folder = "/var/lib/pacman/local";
constexpr std::uint64_t status_limit = 64ULL << 20;
constexpr std::uint64_t desc_limit = 4ULL << 20;

// A desc file of pacman's: "%NAME%", a newline, the value.
std::string desc_field(const std::vector<std::string>& lines, std::string_view field) {
  const auto found = std::ranges::find(lines, field);
  return found != lines.end() && found + 1 != lines.end() ? *(found + 1) : std::string();
}

Result<std::vector<InstalledPackage>> pacman_packages(extfs::FileSystem& image) {
  std::vector<InstalledPackage> packages;
  for (const extfs::DirectoryItem& item : TRY(image.list(pacman_folder))) {
    const std::string path = fmt::format("{}/{}/desc", pacman_folder, item.name);
    if (!TRY(image.exists(path))) {
      continue;
    }
    const std::vector<std::string> lines = split_lines(TRY(image.read_file(path, desc_limit)));
    packages.push_back({.name = desc_field(lines, "%NAME%"),
                        .version = desc_field(lines, "%VERSION%"),
                        .architecture = desc_field(lines, "%ARCH%")});
  }
  std::ranges::sort(packages, {}, &InstalledPackage::name);
  return packages;
}

Result<std::vector<InstalledPackage>> listed_packages(extfs::FileSystem& image) try {
  std::vector<InstalledPackage> packages;
  const auto list = nlohmann::json::parse(TRY(image.read_file(rpm_list_path, status_limit)));
  for (const auto& item : list) {
    packages.push_back({.name = item.at("name").get<std::string>(),
                        .version = item.at("version").get<std::string>(),
                        .architecture = item.at("architecture").get<std::string>()});
  }
  std::ranges::sort(packages, {}, &InstalledPackage::name);
  return packages;
} catch (const nlohmann::json::exception&) {
  return fail(ErrorCode::bad_input, fmt::format("the image's {} is damaged", rpm_list_path));
}

// Sources that apt cannot read are none; passwords in them are nobody's affair.
Result<void> add_sources(extfs::FileSystem& image, const std::string& path, std::vector<std::string>& lines) {
  const std::string text = TRY(image.read_file(path, desc_limit));
  const auto parse = path.ends_with(".sources") ? packages::parse_deb822 : packages::parse_one_line;
  if (const auto sources = parse(text, path)) {
    for (const packages::AptSource& source : *sources) {
      lines.push_back(hide_passwords(source.line()));
    }
  }
  return {};
}

Result<std::vector<std::string>> apt_sources(extfs::FileSystem& image) {
  std::vector<std::string> lines;
  if (TRY(image.exists("/etc/apt/sources.list"))) {
    TRY(add_sources(image, "/etc/apt/sources.list", lines));
  }
  if (!TRY(image.exists("/etc/apt/sources.list.d"))) {
    return lines;
  }
  std::vector<std::string> names;
  for (const extfs::DirectoryItem& item : TRY(image.list("/etc/apt/sources.list.d"))) {
    if (item.name.ends_with(".list") || item.name.ends_with(".sources")) {
      names.push_back(item.name);
    }
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    TRY(add_sources(image, "/etc/apt/sources.list.d/" + name, lines));
  }
  return lines;
}

}  // namespace

Result<Installed> installed_in(extfs::FileSystem& image) {
  if (TRY(image.exists(dpkg_status))) {
    return Installed{.kind = "deb",
                     .packages = installed_packages(TRY(image.read_file(dpkg_status, status_limit))),
                     .sources = TRY(apt_sources(image))};
  }
  if (TRY(image.exists(pacman_folder))) {
    return Installed{.kind = "alpm", .packages = TRY(pacman_packages(image))};
  }
  if (TRY(image.exists(rpm_list_path))) {
    return Installed{.kind = "rpm", .packages = TRY(listed_packages(image))};
  }
  return Installed{};
}

}  // namespace domsmith
