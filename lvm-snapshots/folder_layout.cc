#include "lvm-snapshots/folder_layout.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".img";

bool is_regular(const fs::path& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// The valid names of NAME.img files, or of folders, in a folder; an absent one holds none.
std::vector<std::string> names_in(const fs::path& folder, bool folders) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!folders) {
      if (!name.ends_with(suffix) || !is_regular(it->path())) {
        continue;
      }
      name.resize(name.size() - suffix.size());
    } else if (!it->is_directory(error)) {
      continue;
    }
    if (check_name("volume name", name)) {
      names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  return names;
}

std::string file_name(std::string_view name) { return fmt::format("{}{}", name, suffix); }

Result<std::string> boot_id() { return trimmed(TRY(read_file("/proc/sys/kernel/random/boot_id", 4096))); }

}  // namespace

fs::path FolderLayout::staging(std::string_view name) const { return root_ / "staging" / file_name(name); }
fs::path FolderLayout::golden(std::string_view name) const { return root_ / "images" / file_name(name); }
fs::path FolderLayout::clones(std::string_view origin) const { return root_ / "clones" / origin; }
fs::path FolderLayout::clone(std::string_view origin, std::string_view name) const {
  return clones(origin) / file_name(name);
}
fs::path FolderLayout::marker(std::string_view name) const { return root_ / "active" / name; }

std::optional<FolderEntry> FolderLayout::locate(std::string_view name) const {
  if (!check_name("volume name", name)) {
    return std::nullopt;
  }
  if (is_regular(golden(name))) {
    return FolderEntry{std::string(name), VolumeKind::golden, {}, golden(name)};
  }
  if (is_regular(staging(name))) {
    return FolderEntry{std::string(name), VolumeKind::staging, {}, staging(name)};
  }
  for (const std::string& origin : names_in(root_ / "clones", true)) {
    if (is_regular(clone(origin, name))) {
      return FolderEntry{std::string(name), VolumeKind::clone, origin, clone(origin, name)};
    }
  }
  return std::nullopt;
}

std::vector<FolderEntry> FolderLayout::entries() const {
  std::vector<FolderEntry> all;
  for (const std::string& name : names_in(root_ / "staging", false)) {
    all.push_back({name, VolumeKind::staging, {}, staging(name)});
  }
  for (const std::string& name : names_in(root_ / "images", false)) {
    all.push_back({name, VolumeKind::golden, {}, golden(name)});
  }
  for (const std::string& origin : names_in(root_ / "clones", true)) {
    for (const std::string& name : clones_of(origin)) {
      all.push_back({name, VolumeKind::clone, origin, clone(origin, name)});
    }
  }
  std::ranges::stable_sort(all, {}, &FolderEntry::name);
  return all;
}

std::vector<std::string> FolderLayout::clones_of(std::string_view origin) const {
  return names_in(clones(origin), false);
}

bool FolderLayout::activated(std::string_view name) const {
  const auto marked = read_file(marker(name), 4096);
  const auto now = boot_id();
  return marked && now && trimmed(*marked) == *now;
}

Result<void> FolderLayout::set_activated(std::string_view name, bool activated) const {
  if (!activated) {
    return remove_file(marker(name));
  }
  return write_file_atomic(marker(name), TRY(boot_id()) + "\n");
}

}  // namespace domsmith
