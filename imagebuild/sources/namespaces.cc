#include "imagebuild/sources/namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/fd.h"

namespace domsmith::sources {
namespace {

constexpr std::uint32_t id_count = 1U << 28;

Result<void> write_map(pid_t process, const char* file) {
  const std::string path = fmt::format("/proc/{}/{}", process, file);
  const Fd fd = TRY(open_fd(path, O_WRONLY));
  return write_all(fd.get(), fmt::format("0 {} {}\n", outer_root, id_count));
}

// Only a process outside may write the map of more than one id (user_namespaces(7)): a child that stayed there does.
struct MapWriter {
  pid_t pid = -1;
  Fd go;  // a byte on it: the namespace is there
};

Result<MapWriter> start_map_writer() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail_errno("cannot make a pipe", errno);
  }
  Fd wait(ends[0]);
  Fd go(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno("cannot start a process", errno);
  }
  if (pid == 0) {
    go.reset();
    char byte = 0;
    const bool told = ::read(wait.get(), &byte, 1) == 1;
    ::_exit(told && write_map(parent, "uid_map") && write_map(parent, "gid_map") ? 0 : 1);
  }
  return MapWriter{.pid = pid, .go = std::move(go)};
}

Result<void> finish_map(MapWriter writer) {
  TRY(write_all(writer.go.get(), "x"));
  int status = 0;
  while (::waitpid(writer.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) {
    return fail(ErrorCode::denied, "cannot set the ids of a user namespace", "see user_namespaces(7)");
  }
  return {};
}

Result<void> check(int result, const char* what) {
  return result == 0 ? Result<void>()
                     : fail_errno(what, errno, "this host does not allow namespaces: see namespaces(7)");
}

// A mount that came from outside is locked in the new namespaces; the tree needs one of their own, to be their root.
Result<void> mount_tree(const std::filesystem::path& folder) {
  TRY(check(::unshare(CLONE_NEWNS), "cannot make a mount namespace"));
  TRY(check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "cannot make mounts private"));
  const Fd tree = TRY(open_fd(folder.string(), O_PATH | O_DIRECTORY));
  TRY(check(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"), "cannot mount a tmpfs"));
  for (const char* inner : {tree_folder, scratch_folder}) {
    TRY(check(::mkdir(inner, 0755), "cannot make a folder"));
    TRY(check(::chown(inner, outer_root, outer_root), "cannot give away a folder"));
  }
  return check(::mount(fmt::format("/proc/self/fd/{}", tree.get()).c_str(), tree_folder, nullptr, MS_BIND, nullptr),
               "cannot bind the tree");
}

}  // namespace

Result<void> enter_namespaces(const std::filesystem::path& folder) {
  if (::geteuid() != 0) {
    return fail(ErrorCode::denied, "this source of a tree needs root", "run it as root");
  }
  TRY(mount_tree(folder));
  MapWriter writer = TRY(start_map_writer());
  TRY(check(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "cannot make a user namespace"));
  TRY(finish_map(std::move(writer)));
  if (::setresgid(0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0 || ::setresuid(0, 0, 0) != 0) {
    return fail_errno("cannot become root of a namespace", errno);
  }
  return check(::mount(tree_folder, tree_folder, nullptr, MS_BIND, nullptr), "cannot bind the tree once more");
}

}  // namespace domsmith::sources
