#include "imagebuild/tree/folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

TEST(ReadFolder, BringsAFolderIntoAnImage) {
  const auto folder = must(TemporaryDirectory::make());
  const auto& top = folder.path();
  std::filesystem::create_directories(top / "etc/deep/er");
  std::ofstream(top / "etc/file") << "bytes";
  std::filesystem::permissions(top / "etc/file", std::filesystem::perms(04711));
  std::filesystem::create_hard_link(top / "etc/file", top / "etc/deep/same");
  std::filesystem::create_symlink("/etc/passwd", top / "link");
  ::mkfifo((top / "fifo").c_str(), 0600);
  std::filesystem::resize_file((std::ofstream(top / "sparse"), top / "sparse"), 1ULL << 30);
  {
    const Fd fd = must(open_fd(top / "sparse", O_WRONLY));
    must(pwrite_all(fd.get(), 512 * mib, std::as_bytes(std::span("data", 4))));
  }
  const bool has_xattrs = ::setxattr((top / "etc/file").c_str(), "user.colour", "blue", 4, 0) == 0;
  const struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 1'500'000'000, .tv_nsec = 987'654'321}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (top / "etc/file").c_str(), times, 0), 0);

  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  SilentProgress progress;
  const FolderStats stats = must(read_folder(top, writer, progress));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  EXPECT_EQ(stats.entries, 9U);
  EXPECT_LT(stats.data_bytes, mib);

  fs = image.open(Access::read_only);
  EXPECT_EQ(must(fs.read_file("etc/file", 10)), "bytes");
  EXPECT_EQ(must(fs.stat("etc/file")).mode, 04711U);
  EXPECT_EQ(must(fs.stat("etc/file")).links, 2U);
  EXPECT_EQ(must(fs.stat("etc/file")).mtime.nanoseconds, 987'654'321U);
  EXPECT_EQ(must(fs.stat("etc/file")).uid, ::geteuid());
  EXPECT_EQ(must(fs.read_file("etc/deep/same", 10)), "bytes");
  EXPECT_EQ(must(fs.read_link("link")), "/etc/passwd");
  EXPECT_EQ(must(fs.stat("fifo")).type, EntryType::fifo);
  EXPECT_EQ(must(fs.stat("sparse")).size, 1ULL << 30);
  EXPECT_LE(must(fs.stat("sparse")).allocated, mib);
  if (has_xattrs) {
    EXPECT_EQ(must(fs.xattrs("etc/file")).at("user.colour"), "blue");
  }
}

TEST(ReadFolder, SaysWhatIsNotThere) {
  Image image(8 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  SilentProgress progress;
  EXPECT_EQ(read_folder("/nonexistent/folder", writer, progress).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace domsmith::extfs
