// The kernel's own ext4 mounts what we wrote and sees the same.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

class Kernel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!LoopMount::possible()) {
      GTEST_SKIP() << "only root can mount, and only where there are loop devices";
    }
  }
};

std::string xattr(const std::filesystem::path& path, const char* name) {
  char value[4096];
  const ssize_t size = ::lgetxattr(path.c_str(), name, value, sizeof value);
  return size < 0 ? "errno " + std::string(std::strerror(errno)) : std::string(value, static_cast<std::size_t>(size));
}

template <class... Word>
std::string words(Word... word) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&word), sizeof word), ...);
  return bytes;
}

// A list of rw for user 1000 and group 2000 beside the owner's, as the kernel shows it.
std::string acl() {
  using u16 = std::uint16_t;
  constexpr std::uint32_t none = 0xffffffff;
  return words(std::uint32_t{2}, u16{1}, u16{7}, none, u16{2}, u16{6}, std::uint32_t{1000}, u16{4}, u16{5}, none,
               u16{8}, u16{6}, std::uint32_t{2000}, u16{16}, u16{7}, none, u16{32}, u16{4}, none);
}

// vfs_cap_data of revision 2: cap_net_raw, effective and permitted.
std::string capability() { return words(0x02000001U, 1U << 13, 0U, 0U, 0U); }

struct stat stat_of(const std::filesystem::path& path) {
  struct stat info = {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

TEST_F(Kernel, SeesAttributesListsAndTimes) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  Entry ping = file("bin/ping", 0, 0755);
  ping.uid = 3'000'000'000;
  ping.gid = 4'000'000'000;
  ping.mtime = {.seconds = 6'000'000'000, .nanoseconds = 999'999'999};
  ping.xattrs = {{"security.capability", capability()}, {"user.empty", ""}, {"user.long", std::string(2000, 'l')}};
  must(writer.entry(ping));
  Entry old = directory("srv", 0775);
  old.mtime = {.seconds = -1'000'000'000, .nanoseconds = 5};
  old.xattrs = {{"system.posix_acl_access", acl()}, {"system.posix_acl_default", acl()}};
  must(writer.entry(old));
  Entry node = file("null", 0, 0666);
  node.type = EntryType::character_device;
  node.device_major = 1;
  node.device_minor = 3;
  must(writer.entry(node));
  must(writer.entry(symlink("link", std::string(300, 'l'))));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();

  const LoopMount mount(image, false);
  EXPECT_EQ(xattr(mount.path() / "bin/ping", "security.capability"), capability());
  EXPECT_EQ(xattr(mount.path() / "bin/ping", "user.empty"), "");
  EXPECT_EQ(xattr(mount.path() / "bin/ping", "user.long"), std::string(2000, 'l'));
  EXPECT_EQ(xattr(mount.path() / "srv", "system.posix_acl_access"), acl());
  EXPECT_EQ(xattr(mount.path() / "srv", "system.posix_acl_default"), acl());
  const struct stat info = stat_of(mount.path() / "bin/ping");
  EXPECT_EQ(info.st_uid, 3'000'000'000U);
  EXPECT_EQ(info.st_gid, 4'000'000'000U);
  EXPECT_EQ(info.st_mtim.tv_sec, 6'000'000'000);
  EXPECT_EQ(info.st_mtim.tv_nsec, 999'999'999);
  EXPECT_EQ(stat_of(mount.path() / "srv").st_mtim.tv_sec, -1'000'000'000);
  EXPECT_EQ(stat_of(mount.path() / "srv").st_mtim.tv_nsec, 5);
  EXPECT_EQ(stat_of(mount.path() / "null").st_rdev, makedev(1, 3));
  EXPECT_EQ(std::filesystem::read_symlink(mount.path() / "link"), std::string(300, 'l'));
}

TEST_F(Kernel, SeesHolesWhereTheyAre) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  must(writer.entry(file("sparse", 1ULL << 30)));
  const std::string piece(8192, 'x');
  must(writer.data(1 * mib, std::as_bytes(std::span(piece))));
  must(writer.data(512 * mib, std::as_bytes(std::span(piece))));
  must(writer.finish());
  must(fs.close());
  const LoopMount mount(image, false);
  const Fd fd = must(open_fd(mount.path() / "sparse", O_RDONLY));
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_DATA), static_cast<off_t>(1 * mib));
  EXPECT_EQ(::lseek(fd.get(), 1 * mib, SEEK_HOLE), static_cast<off_t>(1 * mib + 8192));
  EXPECT_EQ(::lseek(fd.get(), 2 * mib, SEEK_DATA), static_cast<off_t>(512 * mib));
  EXPECT_EQ(::lseek(fd.get(), 513 * mib, SEEK_DATA), -1);
}

TEST_F(Kernel, FindsEveryNameOfLargeDirectories) {
  Image image(512 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  for (int number = 0; number < 15'000; ++number) {
    must(writer.entry(file("many/a-name-of-usual-length-" + std::to_string(number))));
  }
  for (int number = 0; number < 7'000; ++number) {  // more leaves than one level of the tree can point to
    must(writer.entry(symlink("two/" + std::string(248, 'n') + std::to_string(number), "x")));
  }
  must(writer.finish());
  must(fs.make_directories("later"));
  for (int number = 0; number < 3'000; ++number) {
    must(fs.write_file("later/a-name-of-usual-length-" + std::to_string(number), "x"));
  }
  must(fs.close());
  image.expect_clean();
  {
    const LoopMount mount(image, true);
    for (int number = 0; number < 15'000; ++number) {
      ASSERT_EQ(::access((mount.path() / "many" / ("a-name-of-usual-length-" + std::to_string(number))).c_str(), F_OK),
                0)
          << number;
    }
    for (int number = 0; number < 3'000; ++number) {
      ASSERT_EQ(::access((mount.path() / "later" / ("a-name-of-usual-length-" + std::to_string(number))).c_str(), F_OK),
                0)
          << number;
    }
    for (int number = 0; number < 7'000; ++number) {
      stat_of(mount.path() / "two" / (std::string(248, 'n') + std::to_string(number)));
    }
    for (int number = 0; number < 500; ++number) {  // the kernel goes on with our trees
      std::ofstream(mount.path() / "many" / ("new-" + std::to_string(number))).put('x');
      std::filesystem::remove(mount.path() / "two" / (std::string(248, 'n') + std::to_string(number)));
    }
  }
  image.expect_clean();
}

TEST_F(Kernel, HasNothingToInitialise) {
  Image image(1024 * mib);
  FileSystem fs = image.format();
  must(fs.close());
  const std::uint64_t before = image.allocated();
  {
    const LoopMount mount(image, true);
    ::sync();
  }
  EXPECT_LT(image.allocated(), before + 128 * 1024);
  image.expect_clean();
}

TEST_F(Kernel, WritesWhatWeReadAndWeChangeWhatItWrote) {
  Image image(128 * mib);
  must(image.format().close());
  {
    const LoopMount mount(image, true);
    std::filesystem::create_directories(mount.path() / "a/b");
    std::ofstream(mount.path() / "a/b/file") << std::string(3 * mib, 'k');
    ASSERT_EQ(::setxattr((mount.path() / "a").c_str(), "system.posix_acl_default", acl().data(), acl().size(), 0), 0);
    std::ofstream(mount.path() / "a/inherits").put('x');
  }
  FileSystem fs = image.open();
  EXPECT_EQ(must(fs.read_file("a/b/file", 4 * mib)), std::string(3 * mib, 'k'));
  EXPECT_EQ(must(fs.xattrs("a")).at("system.posix_acl_default"), acl());
  must(fs.write_file("a/b/file", "ours", {.xattrs = {{"system.posix_acl_access", acl()}}}));
  must(fs.remove("a/inherits"));
  must(fs.close());
  image.expect_clean();
  const LoopMount mount(image, false);
  std::string text;
  std::ifstream(mount.path() / "a/b/file") >> text;
  EXPECT_EQ(text, "ours");
  EXPECT_EQ(xattr(mount.path() / "a/b/file", "system.posix_acl_access"), acl());
}

}  // namespace
}  // namespace domsmith::extfs
