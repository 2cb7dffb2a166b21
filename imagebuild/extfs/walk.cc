#include "imagebuild/extfs/walk.h"

#include <fmt/format.h>

#include <unordered_set>
#include <vector>

#include "base/interrupt.h"

namespace domsmith::extfs {

Result<void> walk(FileSystem& image,
                  const std::function<Result<void>(const std::string& path, const NodeInfo& info)>& visit) {
  std::vector<std::string> folders{""};
  std::unordered_set<std::uint32_t> entered{TRY(image.stat("/")).inode};
  while (!folders.empty()) {
    TRY(check_interrupted());
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    for (const DirectoryItem& item : TRY(image.list(folder.empty() ? "/" : folder))) {
      const std::string path = folder + "/" + item.name;
      if (path == "/lost+found") {
        continue;
      }
      const NodeInfo info = TRY(image.stat(path, Follow::no));
      TRY(visit(path, info));
      if (info.type == EntryType::directory) {
        if (!entered.insert(info.inode).second) {
          return fail(ErrorCode::bad_input,
                      fmt::format("the image is damaged: its folder '{}' has a second name", path),
                      "e2fsck -f repairs a copy of it");
        }
        folders.push_back(path);
      }
    }
  }
  return {};
}

}  // namespace domsmith::extfs
