// A folder of its own for an operation's half-made files, below the store's folder "work", held by a flock for as
// long as the operation lives. What is in it was never visible, so whoever finds one without an owner may remove it.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace domsmith {

class FolderWorkspace {
 public:
  // With the store's gate held, so that no sweep sees it before it is locked.
  static Result<FolderWorkspace> make(const std::filesystem::path& work);
  FolderWorkspace(FolderWorkspace&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  FolderWorkspace& operator=(FolderWorkspace&&) = delete;
  ~FolderWorkspace();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // The workspaces of dead processes. With the store's gate held.
  static Result<std::vector<std::filesystem::path>> abandoned(const std::filesystem::path& work);
  // Removes the workspaces of dead processes. With the store's gate held exclusively.
  static Result<void> sweep(const std::filesystem::path& work);

 private:
  FolderWorkspace(std::filesystem::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  FileLock lock_;
};

}  // namespace domsmith
