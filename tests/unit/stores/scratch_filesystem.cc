#include "tests/unit/stores/scratch_filesystem.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/process.h"

namespace domsmith::testing {

namespace fs = std::filesystem;

namespace {

Result<void> run_tool(const std::string& tool, std::vector<std::string> arguments) {
  Command command;
  command.argv = {TRY(find_program(tool))};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  TRY(run_checked(command));
  return {};
}

}  // namespace

Result<ScratchFilesystem> ScratchFilesystem::make(const std::string& type, std::uint64_t size) {
  if (::geteuid() != 0) {
    return fail(ErrorCode::denied, "mounting is root's");
  }
  TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-scratch-"));
  const std::string mount_point = (folder.path() / "mnt").string();
  TRY(make_directories(mount_point));
  if (type == "tmpfs") {
    TRY(run_tool("mount", {"-t", "tmpfs", "-o", fmt::format("size={}", size), "none", mount_point}));
    return ScratchFilesystem(std::move(folder));
  }
  const std::string image = (folder.path() / "disk").string();
  {
    const Fd fd = TRY(open_fd(image, O_RDWR | O_CREAT | O_EXCL));
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno("cannot make a disk", errno);
    }
  }
  TRY(run_tool("mkfs." + type, {"-q", image}));
  TRY(run_tool("mount", {"-o", "loop", "-t", type, image, mount_point}));
  return ScratchFilesystem(std::move(folder));
}

ScratchFilesystem::~ScratchFilesystem() {
  if (!folder_.path().empty()) {
    (void)run_tool("umount", {path().string()});
  }
}

}  // namespace domsmith::testing
