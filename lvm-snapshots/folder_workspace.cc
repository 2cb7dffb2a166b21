#include "lvm-snapshots/folder_workspace.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace domsmith {

namespace fs = std::filesystem;

namespace {
constexpr std::string_view lock_name = ".owner";
}

Result<FolderWorkspace> FolderWorkspace::make(const fs::path& work) {
  TRY(make_directories(work));
  std::string pattern = (work / "XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail_errno(fmt::format("cannot make a folder in {}", work.string()), errno);
  }
  FileLock lock = TRY(FileLock::try_acquire(fs::path(pattern) / lock_name));
  return FolderWorkspace(pattern, std::move(lock));
}

FolderWorkspace::~FolderWorkspace() {
  if (!path_.empty()) {
    std::error_code ignored;  // the next sweep has another try
    fs::remove_all(path_, ignored);
  }
}

Result<std::vector<fs::path>> FolderWorkspace::abandoned(const fs::path& work) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(work, error), end; !error && it != end; it.increment(error)) {
    const auto owner = FileLock::try_acquire(it->path() / lock_name);
    if (owner) {
      found.push_back(it->path());
      continue;
    }
    // not_found: its owner is removing it at this moment
    if (owner.error().code != ErrorCode::busy && owner.error().code != ErrorCode::not_found) {
      return std::unexpected(owner.error());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(ErrorCode::failed, fmt::format("cannot look into {}: {}", work.string(), error.message()));
  }
  return found;
}

Result<void> FolderWorkspace::sweep(const fs::path& work) {
  for (const fs::path& folder : TRY(abandoned(work))) {
    std::error_code left;
    fs::remove_all(folder, left);
    if (left && left != std::errc::directory_not_empty && left != std::errc::no_such_file_or_directory) {
      return fail(ErrorCode::failed, fmt::format("cannot remove {}: {}", folder.string(), left.message()));
    }
  }
  return {};
}

}  // namespace domsmith
