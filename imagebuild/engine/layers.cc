#include "imagebuild/engine/layers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/fail_point.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/engine/inside.h"

namespace domsmith::engine {
namespace {

constexpr std::int64_t settled_seconds = 120;  // dirty_expire_centisecs and dirty_writeback_centisecs are 35 s together

std::string boot_of_machine() {
  const auto id = read_file("/proc/sys/kernel/random/boot_id", 4096);
  return id ? trimmed(*id) : std::string();
}

std::uint64_t allocated_bytes(const std::filesystem::path& tree) {
  std::uint64_t bytes = 0;
  std::error_code code;
  for (std::filesystem::recursive_directory_iterator
           at(tree, std::filesystem::directory_options::skip_permission_denied, code),
       end;
       !code && at != end; at.increment(code)) {
    struct stat info = {};
    if (::lstat(at->path().c_str(), &info) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

bool is_key(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_usable(const std::filesystem::path& layer) {
  const auto text = read_file(layer / "layer.json", 1U << 20);
  const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  if (!json.is_object() || !std::filesystem::is_directory(layer / "tree")) {
    return false;
  }
  const std::string boot = boot_of_machine();
  return std::filesystem::exists(layer / "synced") || (!boot.empty() && json.value("boot", "") == boot);
}

}  // namespace

bool LayerCache::use(const std::string& key) const {
  const std::filesystem::path layer = folder_ / key;
  if (!is_usable(layer)) {
    return false;
  }
  // By now the kernel has written it of its own accord: to be sure of that costs next to nothing.
  struct stat written = {};
  if (!std::filesystem::exists(layer / "synced") && ::stat((layer / "tree").c_str(), &written) == 0 &&
      system_clock().now().time_since_epoch().count() - written.st_ctim.tv_sec > settled_seconds) {
    (void)sync({key});
  }
  ::utimensat(AT_FDCWD, (layer / "layer.json").c_str(), nullptr, 0);
  return true;
}

Result<void> LayerCache::publish(const std::filesystem::path& made, const std::string& key,
                                 const std::string& what) const {
  const nlohmann::json json{{"key", key}, {"what", what}, {"boot", boot_of_machine()}};
  const Fd file = TRY(open_fd((made / "layer.json").string(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(write_all(file.get(), json_text(json)));
  TRY(fail_point("layer.publish.before"));
  const std::filesystem::path place = folder_ / key;
  if (std::filesystem::exists(place) && !is_usable(place)) {
    TRY(remove(key));
  }
  if (::rename(made.c_str(), place.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY) {
    return fail_errno(fmt::format("cannot keep the layer {}", place.string()), errno);
  }
  return fail_point("layer.publish.after");
}

Result<void> LayerCache::sync(const std::vector<std::string>& keys) const {
  const Fd fd = TRY(open_fd(folder_.string(), O_RDONLY | O_DIRECTORY));
  if (::syncfs(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync {}", folder_.string()), errno);
  }
  for (const std::string& key : keys) {
    if (std::filesystem::exists(folder_ / key)) {
      const Fd mark = TRY(open_fd((folder_ / key / "synced").string(), O_WRONLY | O_CREAT, 0600));
    }
  }
  return {};
}

Result<std::vector<LayerInfo>> LayerCache::list() const {
  std::vector<LayerInfo> layers;
  std::error_code code;
  for (const auto& item : std::filesystem::directory_iterator(folder_, code)) {
    LayerInfo info;
    info.key = item.path().filename();
    if (!is_key(info.key)) {
      continue;
    }
    const auto text = read_file(item.path() / "layer.json", 1U << 20);
    const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    info.what = json.is_object() ? json.value("what", "") : "";
    info.usable = is_usable(item.path());
    info.bytes = allocated_bytes(item.path() / "tree");
    struct stat used = {};
    if (::stat((item.path() / "layer.json").c_str(), &used) == 0) {
      info.last_used = used.st_mtim.tv_sec;
    }
    layers.push_back(std::move(info));
  }
  std::ranges::sort(layers, std::greater{}, [](const LayerInfo& each) { return std::pair(each.last_used, each.key); });
  return layers;
}

Result<void> LayerCache::remove(const std::string& key) const {
  // Under another name first: half a layer must not be found.
  const std::filesystem::path gone = folder_ / fmt::format("gone-{}-{}", key, ::getpid());
  if (::rename((folder_ / key).c_str(), gone.c_str()) != 0) {
    return errno == ENOENT ? Result<void>() : fail_errno(fmt::format("cannot remove the layer {}", key), errno);
  }
  TRY(fail_point("layer.remove.renamed"));
  return remove_tree(gone);
}

Result<void> remove_tree(const std::filesystem::path& tree) {
  std::error_code code;
  std::filesystem::remove_all(tree, code);
  if (!code || ::geteuid() == 0) {
    return code ? fail_errno(fmt::format("cannot remove {}", tree.string()), code.value()) : Result<void>();
  }
  Child child = TRY(Child::call(
      [&](int peer) {
        return run_in_namespaces(true, peer, [&] {
          std::error_code inner;
          std::filesystem::remove_all(tree, inner);
          return inner ? 1 : 0;
        });
      },
      [](pid_t pid, int peer) { return map_user_ids(pid, peer, true); }));
  const ExitStatus status = TRY(child.wait());
  return status.success() ? Result<void>() : fail_errno(fmt::format("cannot remove {}", tree.string()), code.value());
}

}  // namespace domsmith::engine
