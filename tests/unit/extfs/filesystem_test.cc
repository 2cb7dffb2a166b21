#include "imagebuild/extfs/filesystem.h"

#include <gmock/gmock.h>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> names(FileSystem& fs, std::string_view path) {
  std::vector<std::string> all;
  for (const DirectoryItem& item : must(fs.list(path))) {
    all.push_back(item.name);
  }
  return all;
}

TEST(FileSystem, KeepsWhatIsWritten) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  std::string bytes(2 * mib + 123, '\0');
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(at * 2654435761U >> 24);
  }
  must(fs.make_directories("etc/ssh"));
  must(fs.write_file("/etc/ssh/key", bytes,
                     {.mode = 04600,
                      .uid = 70'000,
                      .gid = 80'000,
                      .mtime = Timestamp{.seconds = 5'000'000'000, .nanoseconds = 123'456'789},
                      .xattrs = {{"user.colour", "blue"}}}));
  must(fs.close());
  image.expect_clean();
  fs = image.open(Access::read_only);
  EXPECT_TRUE(must(fs.read_file("/etc/ssh/key", 4 * mib)) == bytes);
  const NodeInfo info = must(fs.stat("etc/ssh/key"));
  EXPECT_EQ(info.type, EntryType::regular);
  EXPECT_EQ(info.mode, 04600U);
  EXPECT_EQ(info.uid, 70'000U);
  EXPECT_EQ(info.gid, 80'000U);
  EXPECT_EQ(info.links, 1U);
  EXPECT_EQ(info.size, bytes.size());
  EXPECT_EQ(info.mtime.seconds, 5'000'000'000);
  EXPECT_EQ(info.mtime.nanoseconds, 123'456'789U);
  EXPECT_EQ(must(fs.xattrs("etc/ssh/key")).at("user.colour"), "blue");
}

TEST(FileSystem, ReplacesAFileAndKeepsNothingOfIt) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  const std::uint64_t free = fs.free_bytes();
  const std::uint64_t inodes = fs.free_inodes();
  must(fs.write_file("/a", std::string(mib, 'x'), {.mode = 0600, .xattrs = {{"user.a", std::string(3000, 'y')}}}));
  must(fs.write_file("/a", "short", {.mode = 0644}));
  EXPECT_EQ(must(fs.read_file("/a", 100)), "short");
  EXPECT_EQ(must(fs.stat("/a")).mode, 0644U);
  EXPECT_TRUE(must(fs.xattrs("/a")).empty());
  EXPECT_EQ(fs.free_bytes(), free - 4096);
  EXPECT_EQ(fs.free_inodes(), inodes - 1);
  must(fs.remove("/a"));
  EXPECT_EQ(fs.free_bytes(), free);
  EXPECT_EQ(fs.free_inodes(), inodes);
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, WritesNeverFollowTheLastLink) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  must(fs.make_directories("etc"));
  must(fs.write_file("etc/shadow", "secret"));
  must(fs.symlink("etc/resolv.conf", "/etc/shadow"));
  must(fs.write_file("etc/resolv.conf", "nameserver"));
  EXPECT_EQ(must(fs.read_file("etc/shadow", 100)), "secret");
  EXPECT_EQ(must(fs.stat("etc/resolv.conf", Follow::no)).type, EntryType::regular);
  must(fs.symlink("etc/resolv.conf", "shadow"));
  EXPECT_EQ(must(fs.read_file("etc/resolv.conf", 100)), "secret");
  must(fs.remove("etc/resolv.conf"));
  EXPECT_TRUE(must(fs.exists("etc/shadow")));
  must(fs.close());
  image.expect_clean();
}

// What a name led to is remembered until something is written.
TEST(FileSystem, ANameLeadsToWhatIsThereNow) {
  for (const bool large : {false, true}) {  // a list, a hash tree
    Image image(64 * mib);
    FileSystem fs = image.format();
    must(fs.make_directories("/d"));
    for (int i = 0; large && i < 1000; ++i) {
      must(fs.write_file("/d/" + std::string(100, 'x') + std::to_string(i), ""));
    }
    EXPECT_FALSE(must(fs.exists("/d/a")));
    must(fs.write_file("/d/a", "1"));
    const auto first = must(fs.stat("/d/a")).inode;
    must(fs.write_file("/d/b", "2"));
    EXPECT_EQ(must(fs.stat("/d/a")).inode, first);
    must(fs.remove("/d/a"));
    EXPECT_FALSE(must(fs.exists("/d/a")));
    must(fs.make_directories("/d/a/a"));
    EXPECT_EQ(must(fs.stat("/d/a")).type, EntryType::directory);
    must(fs.remove_tree("/d/a"));
    EXPECT_FALSE(must(fs.exists("/d/a/a")));
    EXPECT_FALSE(must(fs.exists("/d/a")));
    EXPECT_EQ(must(fs.read_file("/d/b", 10)), "2");
    must(fs.close());
    image.expect_clean();
  }
}

TEST(FileSystem, PathsStayInTheImage) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  must(fs.make_directories("usr/lib/deep"));
  must(fs.symlink("lib", "/usr/lib"));
  must(fs.symlink("usr/lib/up", "../../../../../../usr"));
  must(fs.write_file("lib/deep/file", "here"));
  EXPECT_EQ(must(fs.read_file("/usr/lib/deep/file", 10)), "here");
  EXPECT_EQ(must(fs.read_file("/../../usr/lib/up/lib/deep/../deep/file", 10)), "here");
  EXPECT_EQ(must(fs.read_link("usr/lib/up")), "../../../../../../usr");
  must(fs.make_directories("lib/more/still"));
  EXPECT_EQ(names(fs, "usr/lib"), (std::vector<std::string>{"deep", "more", "up"}));
  must(fs.symlink("loop", "loop"));
  const auto looped = fs.read_file("loop", 10);
  ASSERT_FALSE(looped);
  EXPECT_THAT(told(looped.error()), HasSubstr("more than 40 links"));
  EXPECT_EQ(fs.read_file("loop/x", 10).error().code, ErrorCode::failed);
  must(fs.symlink("nowhere", "usr/none/file"));
  EXPECT_EQ(fs.read_file("nowhere", 10).error().code, ErrorCode::not_found);
  EXPECT_FALSE(must(fs.exists("nowhere")));
  EXPECT_TRUE(must(fs.exists("nowhere", Follow::no)));
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, SaysWhatIsNotThere) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  must(fs.write_file("file", "x"));
  EXPECT_EQ(fs.stat("none").error().code, ErrorCode::not_found);
  EXPECT_EQ(fs.write_file("none/file", "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(fs.write_file("file/below", "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(fs.write_file("lost+found", "x").error().code, ErrorCode::exists);
  EXPECT_EQ(fs.write_file("/", "x").error().code, ErrorCode::bad_input);
  EXPECT_EQ(fs.write_file("file/", "x").error().code, ErrorCode::bad_input);
  EXPECT_EQ(fs.write_file(std::string(256, 'n'), "x").error().code, ErrorCode::bad_input);
  EXPECT_EQ(fs.make_directories("file/dir").error().code, ErrorCode::exists);
  EXPECT_EQ(fs.symlink("link", "").error().code, ErrorCode::bad_input);
  EXPECT_EQ(fs.symlink("link", std::string(4096, 'x')).error().code, ErrorCode::bad_input);
  EXPECT_EQ(fs.remove("none").error().code, ErrorCode::not_found);
  EXPECT_EQ(fs.remove("/").error().code, ErrorCode::bad_input);
  EXPECT_TRUE(fs.remove_tree("none"));
  EXPECT_TRUE(fs.remove_tree("none/deeper"));
  EXPECT_FALSE(fs.read_file("file", 0));
  EXPECT_FALSE(fs.read_file("/", 10));
  EXPECT_FALSE(fs.list("file"));
  EXPECT_FALSE(fs.read_link("file"));
  EXPECT_EQ(told(fs.read_file("none", 10).error()),
            "error: cannot read 'none' in the image\n  because: 'none' does not exist\n");
}

TEST(FileSystem, ReadOnlyStaysAsItIs) {
  Image image(16 * mib);
  must(image.format().close());
  const std::string before = must(read_file(image.path(), 16 * mib));
  FileSystem fs = image.open(Access::read_only);
  EXPECT_EQ(fs.write_file("a", "x").error().code, ErrorCode::denied);
  EXPECT_EQ(fs.make_directories("a").error().code, ErrorCode::denied);
  EXPECT_EQ(fs.remove("lost+found").error().code, ErrorCode::denied);
  must(fs.close());
  EXPECT_TRUE(must(read_file(image.path(), 16 * mib)) == before);
}

TEST(FileSystem, LongLinksAndLongNames) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  for (const std::size_t length : {1U, 58U, 59U, 60U, 61U, 255U, 4095U}) {
    const std::string target(length, 't');
    must(fs.symlink("link" + std::to_string(length), target));
    EXPECT_EQ(must(fs.read_link("link" + std::to_string(length))), target);
  }
  const std::string name(255, 'n');
  must(fs.write_file(name, "x"));
  EXPECT_EQ(must(fs.read_file(name, 10)), "x");
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, ADirectoryOf20000NamesIsAHashTree) {
  Image image(512 * mib);
  FileSystem fs = image.format();
  must(fs.make_directories("many"));
  for (int number = 0; number < 20'000; ++number) {
    must(fs.symlink("many/a-name-of-usual-length-" + std::to_string(number), "target"));
  }
  must(fs.close());
  image.expect_clean();
  fs = image.open();
  EXPECT_EQ(must(fs.list("many")).size(), 20'000U);
  EXPECT_TRUE(must(fs.exists("many/a-name-of-usual-length-19999", Follow::no)));
  for (int number = 0; number < 20'000; number += 10) {
    must(fs.remove("many/a-name-of-usual-length-" + std::to_string(number)));
  }
  must(fs.close());
  image.expect_clean();
  fs = image.open();
  const std::uint64_t before = fs.free_inodes();
  must(fs.remove_tree("many"));
  EXPECT_EQ(fs.free_inodes(), before + 18'000 + 1);
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, RemoveTreeGivesEverythingBack) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  const std::uint64_t free = fs.free_bytes();
  const std::uint64_t inodes = fs.free_inodes();
  std::string path = "top";
  for (int depth = 0; depth < 300; ++depth) {
    must(fs.make_directories(path));
    must(fs.write_file(path + "/file", std::string(10'000, 'x'), {.xattrs = {{"user.x", std::string(1000, 'v')}}}));
    must(fs.symlink(path + "/link", std::string(100, 'l')));
    path += "/d";
  }
  EXPECT_LT(fs.free_bytes(), free);
  EXPECT_EQ(fs.remove("top").error().code, ErrorCode::failed);  // not empty
  must(fs.remove_tree("top"));
  EXPECT_EQ(fs.free_bytes(), free);
  EXPECT_EQ(fs.free_inodes(), inodes);
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, FreesAFileThatHasTheLastBlock) {
  Image image(4 * mib);
  FileSystem fs = image.format();
  const std::uint64_t free = fs.free_bytes();
  must(fs.write_file("all", std::string(free, 'x')));
  EXPECT_EQ(fs.free_bytes(), 0U);
  must(fs.remove("all"));
  EXPECT_EQ(fs.free_bytes(), free);
  must(fs.close());
  image.expect_clean();
}

TEST(FileSystem, LookingChangesNothing) {
  Image image(16 * mib);
  must(image.format().close());
  const std::string before = must(read_file(image.path(), 16 * mib));
  FileSystem fs = image.open(Access::read_write);
  EXPECT_EQ(names(fs, "/"), std::vector<std::string>{"lost+found"});
  EXPECT_FALSE(fs.remove("none"));
  must(fs.close());
  EXPECT_TRUE(must(read_file(image.path(), 16 * mib)) == before);
}

TEST(FileSystem, AFullOneSaysSoAndStaysWhole) {
  Image image(4 * mib);
  FileSystem fs = image.format();
  must(fs.write_file("kept", "as it is"));
  const std::uint64_t free = fs.free_bytes();
  const auto written = fs.write_file("kept", std::string(8 * mib, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::no_space);
  EXPECT_EQ(must(fs.read_file("kept", 100)), "as it is");
  EXPECT_EQ(fs.free_bytes(), free);
  EXPECT_FALSE(
      fs.write_file("attributes", std::string(100'000, 'x'), {.xattrs = {{"user.a", std::string(5000, 'v')}}}));
  EXPECT_EQ(fs.free_bytes(), free);
  must(fs.close());
  image.expect_clean();
}

}  // namespace
}  // namespace domsmith::extfs
