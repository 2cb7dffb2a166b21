#include "lvm-snapshots/lvm_use.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace fs = std::filesystem;

fs::path LvmUse::file(std::string_view name, std::string_view what) const {
  return folder_ / fmt::format("{}.{}", name, what);
}

Result<FileLock> LvmUse::hold(std::string_view name, Access access) const {
  const auto mode = access == Access::read_only ? FileLock::Mode::shared : FileLock::Mode::exclusive;
  auto lock = FileLock::try_acquire(file(name, "use"), mode);
  if (!lock && lock.error().code == ErrorCode::busy) {
    return store_rules::in_use(name);
  }
  return lock;
}

Result<bool> LvmUse::held(std::string_view name) const {
  const auto lock = FileLock::try_acquire(file(name, "use"));
  if (!lock && lock.error().code != ErrorCode::busy) {
    return std::unexpected(lock.error());
  }
  return !lock;
}

bool LvmUse::opened(std::string_view name) const { return ::access(file(name, "opened").c_str(), F_OK) == 0; }
bool LvmUse::activated(std::string_view name) const { return ::access(file(name, "active").c_str(), F_OK) == 0; }

Result<void> LvmUse::set(const fs::path& path, bool there) const {
  if (!there) {
    return remove_file(path);
  }
  TRY(make_directories(path.parent_path()));
  TRY(open_fd(path.string(), O_WRONLY | O_CREAT, 0644));
  return {};
}

Result<void> LvmUse::set_opened(std::string_view name, bool opened) const { return set(file(name, "opened"), opened); }
Result<void> LvmUse::set_activated(std::string_view name, bool activated) const {
  return set(file(name, "active"), activated);
}

std::set<std::string, std::less<>> LvmUse::names_with(std::string_view what) const {
  const std::string ending = fmt::format(".{}", what);
  std::set<std::string, std::less<>> names;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      names.insert(std::move(name));
    }
  }
  return names;
}

Result<std::vector<std::string>> LvmUse::left_open() const {
  std::vector<std::string> names;
  for (const std::string& name : names_with("opened")) {
    if (!TRY(held(name))) {
      names.push_back(name);
    }
  }
  return names;
}

void LvmUse::forget(std::string_view name) const {
  for (const char* what : {"use", "opened", "active"}) {
    ::unlink(file(name, what).c_str());  // on tmpfs; a file that stays says nothing wrong about a volume made anew
  }
}

}  // namespace domsmith
