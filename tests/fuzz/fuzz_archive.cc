// An archive of any bytes on its way into an ext4: taken or refused, and what was taken is a sound file system. The
// second half of the inputs is read as a stream of a tree (tree/stream.h), as a worker that was taken over might write
// it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/fd.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"
#include "imagebuild/tree/stream.h"

namespace domsmith {
namespace {

Result<void> write_tree(int fd, bool stream, extfs::TreeWriter& writer) {
  SilentProgress silent;
  if (stream) {
    TRY(read_stream(fd, writer, silent, "fuzz"));
  } else {
    ArchiveLimits limits;
    limits.entries = 10000;
    limits.data_bytes = 64U << 20;
    TRY(read_archive(fd, writer, limits, silent));
  }
  return writer.finish();
}

void run(std::span<const std::uint8_t> input) {
  const bool stream = input[0] % 2 == 1;
  const Fd fd(::memfd_create("fuzz", MFD_CLOEXEC));
  if (!write_all(fd.get(), std::as_bytes(input.subspan(1)))) {
    return;
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  const auto target = memory_target(16U << 20);
  auto image = extfs::FileSystem::format(*target, {.label = "fuzz", .time = 0});
  if (!image) {
    std::abort();
  }
  bool written = false;
  {
    extfs::TreeWriter writer(*image);
    written = write_tree(fd.get(), stream, writer).has_value();
  }
  if (!written) {
    return;
  }
  if (!image->close() || !extfs::FileSystem::open(*target, Access::read_only)) {
    std::abort();
  }
}

}  // namespace
}  // namespace domsmith

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1) {
    domsmith::run({data, size});
  }
  return 0;
}
