#include "imagebuild/extfs/walk.h"

#include <vector>

#include "base/interrupt.h"

namespace domsmith::extfs {

Result<void> walk(FileSystem& image,
                  const std::function<Result<void>(const std::string& path, const NodeInfo& info)>& visit) {
  std::vector<std::string> folders{""};
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
        folders.push_back(path);
      }
    }
  }
  return {};
}

}  // namespace domsmith::extfs
