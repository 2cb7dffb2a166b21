// populate TREE IMAGE SIZE [--no-sync]: writes a folder into a new ext4 in a sparse file, with the writer that builds
// use. For script/bench: beside `mke2fs -d TREE`, which syncs the image at its end as this does, and with --no-sync
// beside a dd that does not.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "base/block_target.h"
#include "base/error_text.h"
#include "base/fd.h"
#include "base/text.h"
#include "base/write_behind.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"
#include "imagebuild/tree/folder.h"

namespace domsmith {
namespace {

Result<void> populate(const std::filesystem::path& tree, const std::string& image, std::uint64_t size, bool sync) {
  {
    const Fd file = TRY(open_fd(image, O_RDWR | O_CREAT | O_TRUNC));
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno("cannot size " + image, errno);
    }
  }
  const auto target = TRY(open_block_target(image, Access::read_write));
  WriteBehind behind(*target);
  auto file_system = TRY(extfs::FileSystem::format(behind, {}));
  extfs::TreeWriter writer(file_system);
  SilentProgress progress;
  TRY(read_folder(tree, writer, progress));
  TRY(writer.finish());
  return sync ? file_system.flush() : behind.settle();
}

}  // namespace
}  // namespace domsmith

int main(int argc, char** argv) {
  const bool sync = !(argc == 5 && std::string_view(argv[4]) == "--no-sync");
  const auto size = argc == (sync ? 4 : 5) ? domsmith::parse_size(argv[3]) : std::nullopt;
  if (!size) {
    std::fputs("usage: populate TREE IMAGE SIZE [--no-sync]\n", stderr);
    return 2;
  }
  const auto done = domsmith::populate(argv[1], argv[2], *size, sync);
  if (!done) {
    std::fputs(domsmith::error_text(done.error()).c_str(), stderr);
    return 1;
  }
  return 0;
}
