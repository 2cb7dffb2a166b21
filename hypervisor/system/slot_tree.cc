#include "hypervisor/system/slot_tree.h"

#include <fmt/format.h>

#include <vector>

#include "imagebuild/extfs/walk.h"

namespace domsmith {
namespace {

constexpr std::uint64_t largest_file = 256ULL << 20;
constexpr int most_links = 40;  // path_resolution(7)

Result<SlotFile> read_one(extfs::FileSystem& image, const std::string& path, const extfs::NodeInfo& info) {
  SlotFile file{.type = info.type, .mode = info.mode, .uid = info.uid, .gid = info.gid, .content = {}, .target = {}};
  if (info.type == EntryType::regular) {
    file.content = TRY(image.read_file(path, largest_file));
  } else if (info.type == EntryType::symlink) {
    file.target = TRY(image.read_link(path));
  }
  return file;
}

bool is_kept_type(EntryType type) {
  return type == EntryType::regular || type == EntryType::directory || type == EntryType::symlink;
}

}  // namespace

Result<SlotTree> read_slot_tree(extfs::FileSystem& image, const LeftOut& rules) {
  SlotTree tree;
  TRY(extfs::walk(image, [&](const std::string& path, const extfs::NodeInfo& info) -> Result<void> {
    if (is_kept_type(info.type) && !rules.leaves_out(path)) {
      tree.emplace(path, TRY(read_one(image, path, info)));
    }
    return {};
  }));
  // A file that is kept by '!' below a folder that is not.
  std::vector<std::string> paths;
  for (const auto& [path, file] : tree) {
    paths.push_back(path);
  }
  for (const std::string& path : paths) {
    for (auto slash = path.rfind('/'); slash != 0 && slash != std::string::npos; slash = path.rfind('/', slash - 1)) {
      tree.try_emplace(path.substr(0, slash),
                       SlotFile{.type = EntryType::directory, .mode = 0755, .content = {}, .target = {}});
    }
  }
  return tree;
}

std::optional<std::string> resolve(const SlotTree& tree, std::string_view path) {
  std::string left(path);
  std::string done;
  for (int links = 0; !left.empty();) {
    left.erase(0, left.find_first_not_of('/'));
    const std::string part = left.substr(0, left.find('/'));
    left.erase(0, part.size());
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      done.erase(done.rfind('/') == std::string::npos ? 0 : done.rfind('/'));
      continue;
    }
    const auto found = tree.find(done + "/" + part);
    if (found == tree.end()) {
      return std::nullopt;
    }
    if (found->second.type != EntryType::symlink) {
      done = found->first;
      continue;
    }
    if (++links > most_links) {
      return std::nullopt;
    }
    done = found->second.target.starts_with('/') ? std::string() : done;
    left = found->second.target + left;
  }
  return done;
}

const SlotFile* find_file(const SlotTree& tree, std::string_view path) {
  const auto real = resolve(tree, path);
  const auto found = real ? tree.find(*real) : tree.end();
  return found != tree.end() && found->second.type == EntryType::regular ? &found->second : nullptr;
}

void put_file(SlotTree& tree, std::string_view path, std::string content, std::uint32_t mode) {
  for (auto slash = path.find('/', 1); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    tree.try_emplace(std::string(path.substr(0, slash)),
                     SlotFile{.type = EntryType::directory, .mode = 0755, .content = {}, .target = {}});
  }
  tree.insert_or_assign(std::string(path), SlotFile{.mode = mode, .content = std::move(content), .target = {}});
}

}  // namespace domsmith
