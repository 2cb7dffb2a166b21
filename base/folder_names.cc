#include "base/folder_names.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/fd.h"

namespace domsmith {

Result<std::vector<std::string>> names_in_folder(int folder) {
  Fd copy(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy ? ::fdopendir(copy.get()) : nullptr, ::closedir);
  if (!stream) {
    return fail_errno("cannot open the directory", errno);
  }
  copy.release();
  std::vector<std::string> names;
  errno = 0;  // readdir(3): how an error is told from the end
  while (const dirent* item = ::readdir(stream.get())) {
    const std::string name(static_cast<const char*>(item->d_name));
    if (name != "." && name != "..") {
      names.push_back(name);
    }
    errno = 0;
  }
  if (errno != 0) {
    return fail_errno("cannot read the directory", errno);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace domsmith
