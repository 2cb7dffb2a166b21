#include "imagebuild/engine/housekeeping.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>

#include "base/fd.h"
#include "base/file.h"
#include "imagebuild/engine/inside.h"
#include "imagebuild/tree/folder_writer.h"

namespace domsmith::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* no_services = "#!/bin/sh\nexit 101\n";
constexpr const char* no_daemons = "#!/bin/sh\necho \"start-stop-daemon does nothing while an image is built\" >&2\n";
constexpr const char* daemon_starter = "/sbin/start-stop-daemon";
constexpr const char* put_aside = "/sbin/start-stop-daemon.REAL";

Result<std::string> read_inside(const std::string& root, const std::string& path) {
  const Fd top = TRY(open_fd(root, O_RDONLY | O_DIRECTORY));
  const Fd file = TRY(open_inside(top.get(), path, O_RDONLY));
  std::string text(1U << 20, '\0');
  text.resize(TRY(read_some(file.get(), std::as_writable_bytes(std::span(text)))));
  return text;
}

std::string host_resolver() { return read_file("/etc/resolv.conf", 1U << 20).value_or(std::string()); }

// Inside the tree: absolute paths are the tree's.
Result<void> remove_here(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  return code ? fail_errno(fmt::format("cannot remove {}", path.string()), code.value()) : Result<void>();
}

Result<void> empty_folder_here(const fs::path& folder, std::string_view keep) {
  std::error_code code;
  std::vector<fs::path> found;
  for (const auto& item : fs::directory_iterator(folder, code)) {
    if (item.path().filename() != keep) {
      found.push_back(item.path());
    }
  }
  for (const fs::path& path : found) {
    TRY(remove_here(path));
  }
  return {};
}

Result<void> write_here(const char* path, std::string_view bytes, unsigned mode) {
  const Fd file = TRY(open_fd(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  if (::fchmod(file.get(), mode) != 0) {
    return fail_errno(fmt::format("cannot set the mode of {}", path), errno);
  }
  return write_all(file.get(), bytes);
}

}  // namespace

std::vector<std::string> environment_of(std::int64_t epoch) {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TZ=UTC",
          "DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
          "INITRD=No",  // the image's own initramfs is never booted: packages/plan.cc
          // Hash tables are walked in the same order by every build.
          "PERL_HASH_SEED=0", "PYTHONHASHSEED=0", fmt::format("SOURCE_DATE_EPOCH={}", epoch)};
}

Result<void> put_file(const std::string& root, const std::string& path, std::string_view bytes, std::uint32_t mode) {
  const Fd top = TRY(open_fd(root, O_RDONLY | O_DIRECTORY));
  FolderWriter writer(top.get());
  Entry entry;
  entry.path = path;
  entry.mode = mode;
  entry.size = bytes.size();
  entry.mtime.seconds = std::time(nullptr);
  TRY(writer.entry(entry));
  TRY(writer.data(0, std::as_bytes(std::span(bytes))));
  return writer.finish();
}

Result<void> make_skeleton(const std::string& root, const std::string& sources_list) {
  const Fd top = TRY(open_fd(root, O_RDONLY | O_DIRECTORY));
  FolderWriter writer(top.get());
  for (const char* folder :
       {"etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/apt/preferences.d", "var/cache/apt",
        "var/lib/apt/lists/partial", "var/lib/dpkg", "etc/dpkg/dpkg.cfg.d", "var/log/apt", "tmp"}) {
    Entry entry;
    entry.path = folder;
    entry.type = EntryType::directory;
    entry.mode = entry.path == "tmp" ? 01777 : 0755;
    TRY(writer.entry(entry));
  }
  TRY(put_file(root, "etc/apt/sources.list", sources_list, 0644));
  TRY(put_file(root, "etc/fstab", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n", 0644));
  return put_file(root, "var/lib/dpkg/status", "", 0644);
}

Result<PathFilter> read_filter(const std::string& root) {
  PathFilter filter;
  if (const auto main = read_inside(root, "etc/dpkg/dpkg.cfg")) {
    filter.read(*main);
  }
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& item : fs::directory_iterator(fs::path(root) / "etc/dpkg/dpkg.cfg.d", code)) {
    names.push_back(item.path().filename());
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    filter.read(TRY(read_inside(root, "etc/dpkg/dpkg.cfg.d/" + name)));
  }
  return filter;
}

Result<void> keep_services_off(const std::string& root) {
  return call_inside(root, []() -> Result<void> {
    TRY(write_here("/usr/sbin/policy-rc.d", no_services, 0755));
    if (::access(daemon_starter, F_OK) != 0) {
      return {};
    }
    if (::rename(daemon_starter, put_aside) != 0) {
      return fail_errno("cannot put start-stop-daemon aside", errno);
    }
    return write_here(daemon_starter, no_daemons, 0755);
  });
}

Result<void> let_services_on(const std::string& root) {
  return call_inside(root, []() -> Result<void> {
    TRY(remove_here("/usr/sbin/policy-rc.d"));
    if (::access(put_aside, F_OK) == 0 && ::rename(put_aside, daemon_starter) != 0) {
      return fail_errno("cannot put start-stop-daemon back", errno);
    }
    return {};
  });
}

Result<void> lend_host_files(const std::string& root) {
  struct stat info = {};
  if (::lstat((root + "/etc/resolv.conf").c_str(), &info) == 0) {
    return {};
  }
  const std::string resolver = host_resolver();
  return resolver.empty() ? Result<void>() : put_file(root, "etc/resolv.conf", resolver, 0644);
}

Result<void> take_back_host_files(const std::string& root) {
  struct stat info = {};
  const std::string path = root + "/etc/resolv.conf";
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return {};
  }
  const auto text = read_inside(root, "etc/resolv.conf");
  return text && *text == host_resolver() ? remove_file(path) : Result<void>();
}

Result<void> clean_tree(const std::string& root) {
  return call_inside(root, []() -> Result<void> {
    for (const char* path : {"/var/log/dpkg.log", "/var/log/alternatives.log", "/var/log/apt/history.log",
                             "/var/log/apt/term.log", "/var/log/apt/eipp.log.xz", "/var/cache/ldconfig/aux-cache",
                             "/var/lib/dbus/machine-id", "/usr/sbin/policy-rc.d"}) {
      TRY(remove_here(path));
    }
    TRY(empty_folder_here("/run", "lock"));
    TRY(empty_folder_here("/tmp", ""));
    // machine-id(5): an empty one is filled at the first boot.
    if (::access("/etc/machine-id", F_OK) == 0) {
      TRY(remove_here("/etc/machine-id"));
      TRY(write_here("/etc/machine-id", "", 0644));
    }
    return {};
  });
}

}  // namespace domsmith::engine
