#include "imagebuild/foreign/foreign_disk.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fd.h"
#include "base/interrupt.h"
#include "imagebuild/archive/sealed.h"
#include "imagebuild/foreign/disk_format.h"
#include "imagebuild/foreign/guestfs_library.h"

namespace domsmith::foreign {
namespace {

constexpr unsigned time_limit = 3600;  // seconds; a file system made to hang a kernel hangs the machine's only
constexpr std::size_t longest_header = 64U << 10;
constexpr int memory_mib = 768;

// Only called where a handle has been made, so the library is there.
const GuestfsLibrary& lib() { return **guestfs_library(); }

struct HandleCloser {
  void operator()(guestfs_h* handle) const noexcept { lib().close(handle); }
};
using Handle = std::unique_ptr<guestfs_h, HandleCloser>;

std::unexpected<Error> guestfs_fail(guestfs_h* handle, ErrorCode code, std::string what, std::string remedy = {}) {
  Error error;
  error.code = code;
  error.what = std::move(what);
  if (const char* reason = lib().last_error(handle); reason != nullptr) {
    error.causes.emplace_back(std::string_view(reason).substr(0, 1000));
  }
  error.remedy = std::move(remedy);
  return std::unexpected(std::move(error));
}

// A list of strings that guestfs gave away.
std::vector<std::string> taken(char** list) {
  std::vector<std::string> out;
  for (char** at = list; at != nullptr && *at != nullptr; ++at) {
    out.emplace_back(*at);
    std::free(*at);  // NOLINT(cppcoreguidelines-no-malloc): guestfs(3) allocates it so
  }
  std::free(list);  // NOLINT(cppcoreguidelines-no-malloc)
  return out;
}

std::string taken(char* text) {
  std::string out = text == nullptr ? "" : text;
  std::free(text);  // NOLINT(cppcoreguidelines-no-malloc)
  return out;
}

Result<Handle> launch(const std::string& path, const std::string& format) {
  TRY(guestfs_library());
  Handle handle(lib().create());
  if (!handle) {
    return fail(ErrorCode::failed, "cannot start libguestfs");
  }
  guestfs_h* g = handle.get();
  lib().set_error_handler(g, nullptr, nullptr);  // its words are asked for, not printed
  lib().set_memsize(g, memory_mib);
  const bool ready = lib().set_backend(g, "direct") == 0 && lib().set_backend_setting(g, "force_tcg", "1") == 0 &&
                     lib().add_drive_opts(g, path.c_str(), GUESTFS_ADD_DRIVE_OPTS_READONLY, 1,
                                          GUESTFS_ADD_DRIVE_OPTS_FORMAT, format.c_str(), -1) == 0;
  if (!ready || lib().launch(g) != 0) {
    return guestfs_fail(
        g, ErrorCode::failed, "cannot start the virtual machine that reads foreign disks",
        "libguestfs-test-tool shows what is missing; it needs a kernel in /boot: apt-get install linux-image-amd64");
  }
  return handle;
}

Result<std::string> find_root(guestfs_h* g) {
  char** list = lib().inspect_os(g);
  if (list == nullptr) {
    return guestfs_fail(g, ErrorCode::bad_input, "the disk cannot be looked at");
  }
  const std::vector<std::string> roots = taken(list);
  if (roots.empty()) {
    return fail(ErrorCode::not_found, "the disk holds no operating system",
                "it may be damaged, encrypted, or of another format than was named");
  }
  if (roots.size() > 1) {
    return fail(ErrorCode::unsupported, fmt::format("the disk holds {} operating systems", roots.size()),
                "copy the one that is meant to a disk of its own");
  }
  if (const std::string type = taken(lib().inspect_get_type(g, roots[0].c_str())); type != "linux") {
    return fail(ErrorCode::unsupported, fmt::format("the disk holds a system of type '{}', not Linux", type));
  }
  return roots[0];
}

std::string debian_word(const std::string& architecture) {
  return architecture == "x86_64"    ? "amd64"
         : architecture == "aarch64" ? "arm64"
         : architecture == "i386"    ? "i386"
         : architecture == "arm"     ? "armhf"
                                     : architecture;
}

// Shortest first: a file system is mounted before what lies below it.
Result<ForeignSystem> mount_all(guestfs_h* g, const std::string& root) {
  ForeignSystem system;
  system.architecture = debian_word(taken(lib().inspect_get_arch(g, root.c_str())));
  const std::vector<std::string> pairs = taken(lib().inspect_get_mountpoints(g, root.c_str()));
  std::vector<std::pair<std::string, std::string>> mounts;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    mounts.emplace_back(pairs[i], pairs[i + 1]);
  }
  if (mounts.empty()) {
    mounts.emplace_back("/", root);
  }
  std::ranges::sort(mounts, {}, [](const auto& mount) { return mount.first.size(); });
  for (const auto& [point, device] : mounts) {
    if (point == "/boot/efi" || point == "/efi") {  // firmware's, of no use to a Xen guest
      continue;
    }
    if (lib().mount_ro(g, device.c_str(), point.c_str()) != 0) {
      return guestfs_fail(g, ErrorCode::bad_input,
                          fmt::format("the disk's file system of {} cannot be mounted", point));
    }
    const std::int64_t size = lib().blockdev_getsize64(g, device.c_str());
    system.size += size > 0 ? static_cast<std::uint64_t>(size) : 0;
    system.mountpoints.push_back(point);
  }
  return system;
}

// The worker: one line of JSON, then the tar.
Result<void> read_disk(const std::string& path, const std::string& format, int out) {
  ::alarm(time_limit);
  const Handle handle = TRY(launch(path, format));
  guestfs_h* g = handle.get();
  const std::string root = TRY(find_root(g));
  const ForeignSystem system = TRY(mount_all(g, root));
  const nlohmann::json header{
      {"architecture", system.architecture}, {"mountpoints", system.mountpoints}, {"size", system.size}};
  TRY(write_all(out, header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
  const int done = lib().tar_out_opts(g, "/", fmt::format("/dev/fd/{}", out).c_str(), GUESTFS_TAR_OUT_OPTS_NUMERICOWNER,
                                      1, GUESTFS_TAR_OUT_OPTS_XATTRS, 1, GUESTFS_TAR_OUT_OPTS_ACLS, 1, -1);
  return done == 0 ? Result<void>() : guestfs_fail(g, ErrorCode::bad_input, "the disk's files cannot be read");
}

// Byte by byte: what stands behind the line is the tar's.
Result<std::string> read_line(int fd) {
  std::string line;
  for (char c = 0; line.size() < longest_header;) {
    const ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) {
      TRY(check_interrupted());
      continue;
    }
    if (got <= 0 || c == '\n') {
      return line;
    }
    line += c;
  }
  return fail(ErrorCode::failed, "the reader of the disk talks nonsense");
}

Result<ForeignSystem> parse_header(const std::string& line) try {
  const nlohmann::json header = nlohmann::json::parse(line);
  ForeignSystem system;
  header.at("architecture").get_to(system.architecture);
  header.at("mountpoints").get_to(system.mountpoints);
  header.at("size").get_to(system.size);
  return system;
} catch (const nlohmann::json::exception&) {
  return fail(ErrorCode::failed, "the reader of the disk talks nonsense");
}

}  // namespace

Result<ForeignDisk> ForeignDisk::open(const std::string& path, const std::string& format) {
  TRY(check_disk(path, format));
  WorkerOptions options;
  options.sealed = false;
  Worker worker = TRY(Worker::start(options, [&](int out) { return read_disk(path, format, out); }));
  const std::string line = TRY(read_line(worker.out()));
  if (line.empty()) {
    TRY_AS(worker.finish(), fmt::format("cannot read the disk {}", path));
  }
  ForeignSystem system = TRY(parse_header(line));
  return ForeignDisk(std::move(worker), std::move(system));
}

Result<void> ForeignDisk::copy_to(TreeSink& sink, Progress& progress) {
  ArchiveLimits limits;
  limits.devices = ArchivePolicy::skip;
  auto read = read_archive_sealed(tar(), sink, limits, progress);
  if (!read) {
    worker_.kill();
    return std::unexpected(std::move(read).error());
  }
  return finish();
}

}  // namespace domsmith::foreign
