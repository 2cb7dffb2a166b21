#include "imagebuild/engine/stack.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ranges>

#include "base/file.h"
#include "base/text.h"

namespace domsmith::engine {
namespace {

// Colons, commas and backslashes have a meaning in the options of mount(2).
std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    out += std::string_view(":,\\").contains(c) ? fmt::format("\\{}", c) : std::string(1, c);
  }
  return out;
}

}  // namespace

Result<void> TreeStack::begin(const std::string& name) {
  made_ = folder_ / name;
  if (plain()) {
    root_ = folder_ / "tree";
    return make_directories(root_, 0755);
  }
  TRY(make_directories(made_, 0700));
  TRY(make_directories(made_ / "tree", 0755));
  if (below_.empty()) {
    root_ = made_ / "tree";
    return {};
  }
  return mount_layers();
}

Result<void> TreeStack::mount_layers() {
  TRY(make_directories(made_ / "work", 0700));
  root_ = folder_ / "root";
  TRY(make_directories(root_, 0755));
  // Short names, for all options together have one page.
  if (::chdir(layers_.c_str()) != 0) {
    return fail_errno(fmt::format("cannot enter {}", layers_.string()), errno);
  }
  std::vector<std::string> names;
  for (const std::string& key : below_ | std::views::reverse) {
    names.push_back(key + "/tree");
  }
  const std::string options =
      fmt::format("lowerdir={},upperdir={},workdir={}{}", join(names, ":"), escaped((made_ / "tree").string()),
                  escaped((made_ / "work").string()), user_ ? ",userxattr" : "");
  // volatile: an unmount does not wait for the disk. Kernels before 5.10 do not know it.
  if (::mount("layers", root_.c_str(), "overlay", 0, (options + ",volatile").c_str()) != 0 &&
      ::mount("layers", root_.c_str(), "overlay", 0, options.c_str()) != 0) {
    return fail_errno(
        "cannot mount the layers of the build", errno,
        "build with --no-cache, or put --root on a file system that overlayfs can work on (ext4, XFS, btrfs)");
  }
  mounted_ = true;
  return {};
}

Result<void> TreeStack::keep(const std::string& key, const std::string& what) {
  if (plain()) {
    return {};
  }
  if (mounted_) {
    if (::umount2(root_.c_str(), 0) != 0) {
      return fail_errno("cannot unmount the layers of the build", errno);
    }
    mounted_ = false;
    std::error_code code;
    std::filesystem::remove_all(made_ / "work", code);
  }
  TRY(LayerCache(layers_).publish(made_, key, what));
  below_.push_back(key);
  return {};
}

}  // namespace domsmith::engine
