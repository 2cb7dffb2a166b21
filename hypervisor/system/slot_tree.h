// A root file system as a value: what goes into a slot, by absolute path. Parents of a path come before it (std::map's
// order).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hypervisor/system/rules.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::extfs {
class FileSystem;
}

namespace domsmith {

struct SlotFile {
  EntryType type = EntryType::regular;  // regular, directory or symlink: /dev is the kernel's
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string content;  // of a regular file
  std::string target;   // of a link
};
using SlotTree = std::map<std::string, SlotFile, std::less<>>;

// The image's files but those that `rules` leave out. Folders stay, empty or not: programs expect them.
Result<SlotTree> read_slot_tree(extfs::FileSystem& image, const LeftOut& rules);

// The path that `path` means once all links in it are followed inside the tree; nullopt: nothing is there.
std::optional<std::string> resolve(const SlotTree& tree, std::string_view path);
// The regular file behind a path; nullptr where there is none.
const SlotFile* find_file(const SlotTree& tree, std::string_view path);

// A file, and the folders above it that are missing (root's, 0755).
void put_file(SlotTree& tree, std::string_view path, std::string content, std::uint32_t mode = 0644);

}  // namespace domsmith
