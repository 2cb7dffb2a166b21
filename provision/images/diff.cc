#include "provision/images/diff.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/interrupt.h"
#include "imagebuild/extfs/walk.h"

namespace domsmith {

namespace {

constexpr std::uint64_t largest_compared = 256ULL << 20;
constexpr std::size_t most_files = 5'000'000;
constexpr std::size_t longest_path = 4096;

using Tree = std::map<std::string, extfs::NodeInfo>;

Result<Tree> tree_of(extfs::FileSystem& image) {
  Tree tree;
  TRY(extfs::walk(image, [&](const std::string& path, const extfs::NodeInfo& info) -> Result<void> {
    if (path.size() > longest_path || tree.size() >= most_files) {
      return fail(ErrorCode::bad_input, "the image holds too much to be compared",
                  "check it: domsmith image verify IMAGE");
    }
    tree.emplace(path, info);
    return {};
  }));
  return tree;
}

std::string_view type_word(EntryType type) {
  switch (type) {
    case EntryType::regular:
      return "file";
    case EntryType::directory:
      return "folder";
    case EntryType::symlink:
      return "link";
    default:
      return "special file";
  }
}

Result<std::string> change_of(extfs::FileSystem& before, extfs::FileSystem& after, const std::string& path,
                              const extfs::NodeInfo& left, const extfs::NodeInfo& right) {
  if (left.type != right.type) {
    return fmt::format("{} -> {}", type_word(left.type), type_word(right.type));
  }
  if (left.type == EntryType::symlink) {
    const std::string old_target = TRY(before.read_link(path));
    const std::string new_target = TRY(after.read_link(path));
    return old_target == new_target ? std::string() : fmt::format("link {} -> {}", old_target, new_target);
  }
  if (left.mode != right.mode) {
    return fmt::format("mode {:04o} -> {:04o}", left.mode, right.mode);
  }
  if (left.uid != right.uid || left.gid != right.gid) {
    return fmt::format("owner {}:{} -> {}:{}", left.uid, left.gid, right.uid, right.gid);
  }
  if (left.type != EntryType::regular) {
    return std::string();
  }
  if (left.size != right.size) {
    return fmt::format("content, {} -> {} bytes", left.size, right.size);
  }
  if (left.size == 0 || left.size > largest_compared) {
    return std::string();
  }
  const bool same = TRY(before.read_file(path, largest_compared)) == TRY(after.read_file(path, largest_compared));
  return same ? std::string() : std::string("content");
}

}  // namespace

std::vector<PackageChange> diff_packages(const std::vector<InstalledPackage>& before,
                                         const std::vector<InstalledPackage>& after) {
  // Two architectures of one package may be installed together.
  std::map<std::string, PackageChange> all;
  const auto key = [](const InstalledPackage& package) { return package.name + ":" + package.architecture; };
  for (const InstalledPackage& package : before) {
    all[key(package)] = {.name = package.name, .before = package.version, .after = {}};
  }
  for (const InstalledPackage& package : after) {
    PackageChange& change = all[key(package)];
    change.name = package.name;
    change.after = package.version;
  }
  std::vector<PackageChange> changes;
  for (auto& [name, change] : all) {
    if (change.before != change.after) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

Result<std::vector<FileChange>> diff_files(extfs::FileSystem& before, extfs::FileSystem& after) {
  const Tree left = TRY(tree_of(before));
  const Tree right = TRY(tree_of(after));
  std::set<std::string> paths;
  for (const Tree* tree : {&left, &right}) {
    for (const auto& [path, info] : *tree) {
      paths.insert(paths.end(), path);
    }
  }
  std::vector<FileChange> changes;
  for (const std::string& path : paths) {
    TRY(check_interrupted());
    const auto old_one = left.find(path);
    const auto new_one = right.find(path);
    std::string what = old_one == left.end() ? "added" : new_one == right.end() ? "removed" : "";
    if (what.empty()) {
      what = TRY(change_of(before, after, path, old_one->second, new_one->second));
    }
    if (!what.empty()) {
      changes.push_back({.path = path, .what = std::move(what)});
    }
  }
  return changes;
}

}  // namespace domsmith
