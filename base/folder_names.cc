#include "base/folder_names.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>

#include "base/fd.h"

namespace domsmith {

std::vector<std::string> names_in_folder(int folder) {
  std::vector<std::string> names;
  Fd copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy ? ::fdopendir(copy.get()) : nullptr, ::closedir);
  if (!stream) {
    return names;
  }
  copy.release();
  while (const dirent* item = ::readdir(stream.get())) {
    const std::string name(static_cast<const char*>(item->d_name));
    if (name != "." && name != "..") {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace domsmith
