#include "hypervisor/system/libraries.h"

#include <fmt/format.h>

#include <set>

#include "hypervisor/system/elf_needs.h"

namespace domsmith {
namespace {

// Folders in which programs' own RUNPATH finds private libraries.
constexpr std::string_view private_folders[] = {"/usr/lib/x86_64-linux-gnu/systemd/"};

bool is_shared_library(std::string_view path) {
  return path.starts_with(library_folder) && path.find('/', library_folder.size()) == std::string_view::npos &&
         path.find(".so") != std::string_view::npos;
}

std::vector<std::string> needs_of(const SlotFile& file) {
  if (file.type != EntryType::regular || !file.content.starts_with("\x7f"
                                                                   "ELF")) {
    return {};
  }
  const auto needs = elf_needs(file.content);
  return needs ? needs->libraries : std::vector<std::string>{};
}

// The path of the library that a name means; "" where there is none.
std::string find_library(const SlotTree& tree, const std::string& name) {
  if (auto path = resolve(tree, std::string(library_folder) + name)) {
    return *path;
  }
  for (const std::string_view other : private_folders) {
    if (auto path = resolve(tree, std::string(other) + name)) {
      return *path;
    }
  }
  return name.starts_with("ld-linux") ? resolve(tree, "/lib64/" + name).value_or("") : "";
}

}  // namespace

std::vector<std::string> drop_unneeded_libraries(SlotTree& tree, const LeftOut& rules) {
  std::vector<std::string> wanted;
  for (const auto& [path, file] : tree) {
    if (file.type == EntryType::regular && (!is_shared_library(path) || rules.keeps(path))) {
      wanted.push_back(path);
    }
  }
  std::set<std::string> stay;
  while (!wanted.empty()) {
    const std::string path = std::move(wanted.back());
    wanted.pop_back();
    if (!stay.insert(path).second) {
      continue;
    }
    for (const std::string& name : needs_of(tree.at(path))) {
      if (std::string found = find_library(tree, name); !found.empty()) {
        wanted.push_back(std::move(found));
      }
    }
  }
  std::vector<std::string> gone;
  for (const auto& [path, file] : tree) {
    if (is_shared_library(path) && !stay.contains(resolve(tree, path).value_or(""))) {
      gone.push_back(path);
    }
  }
  for (const std::string& path : gone) {
    tree.erase(path);
  }
  return gone;
}

std::vector<std::string> missing_libraries(const SlotTree& tree) {
  std::vector<std::string> missing;
  for (const auto& [path, file] : tree) {
    for (const std::string& name : needs_of(file)) {
      if (find_library(tree, name).empty()) {
        missing.push_back(fmt::format("{} needs {}", path, name));
      }
    }
  }
  return missing;
}

}  // namespace domsmith
