#include "imagebuild/extfs/writer.h"

#include <gmock/gmock.h>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

using ::testing::HasSubstr;

std::string what_of(Result<void> result) { return result ? "done" : told(result.error()); }

// Writes entries without data, and finishes.
void write_tree(Image& image, std::initializer_list<Entry> entries) {
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  for (const Entry& entry : entries) {
    must(writer.entry(entry));
  }
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
}

TEST(TreeWriter, AnEmptyTreeIsAFileSystem) {
  Image image(16 * mib);
  write_tree(image, {});
  FileSystem fs = image.open();
  EXPECT_EQ(must(fs.list("/")).size(), 1U);
  EXPECT_EQ(must(fs.stat("/lost+found")).size, 4 * 4096U);
}

TEST(TreeWriter, KeepsEveryKindOfEntry) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  Entry root = directory("", 0751);
  root.uid = 5;
  must(writer.entry(root));
  must(writer.entry(directory("dev", 01777)));
  Entry node = file("dev/console", 0, 0620);
  node.type = EntryType::character_device;
  node.device_major = 5;
  node.device_minor = 1;
  must(writer.entry(node));
  node.path = "dev/large";
  node.type = EntryType::block_device;
  node.device_major = 4095;
  node.device_minor = 1'048'575;
  must(writer.entry(node));
  node.path = "dev/fifo";
  node.type = EntryType::fifo;
  must(writer.entry(node));
  node.path = "dev/socket";
  node.type = EntryType::socket;
  must(writer.entry(node));
  add_file(writer, "etc/hostname", "web");
  must(writer.entry(hard_link("etc/hostname2", "etc/hostname")));
  must(writer.entry(symlink("etc/fast", std::string(59, 'f'))));
  must(writer.entry(symlink("etc/slow", std::string(60, 's'))));
  must(writer.finish());
  EXPECT_EQ(writer.stats().files, 1U);
  EXPECT_EQ(writer.stats().directories, 4U);  // the root, lost+found, dev, etc
  EXPECT_EQ(writer.stats().hard_links, 1U);
  EXPECT_EQ(writer.stats().symlinks, 2U);
  EXPECT_EQ(writer.stats().specials, 4U);
  EXPECT_EQ(writer.stats().data_bytes, 3U);
  EXPECT_GT(writer.stats().bytes_written, 0U);
  EXPECT_FALSE(writer.entry(directory("more")));
  must(fs.close());
  image.expect_clean();

  fs = image.open(Access::read_only);
  EXPECT_EQ(must(fs.stat("/")).mode, 0751U);
  EXPECT_EQ(must(fs.stat("/")).uid, 5U);
  EXPECT_EQ(must(fs.stat("/")).links, 5U);
  EXPECT_EQ(must(fs.stat("dev")).mode, 01777U);
  EXPECT_EQ(must(fs.stat("dev/console")).device_major, 5U);
  EXPECT_EQ(must(fs.stat("dev/console")).mode, 0620U);
  EXPECT_EQ(must(fs.stat("dev/large")).type, EntryType::block_device);
  EXPECT_EQ(must(fs.stat("dev/large")).device_major, 4095U);
  EXPECT_EQ(must(fs.stat("dev/large")).device_minor, 1'048'575U);
  EXPECT_EQ(must(fs.stat("dev/fifo")).type, EntryType::fifo);
  EXPECT_EQ(must(fs.stat("dev/socket")).type, EntryType::socket);
  EXPECT_EQ(must(fs.read_file("etc/hostname2", 10)), "web");
  EXPECT_EQ(must(fs.stat("etc/hostname")).links, 2U);
  EXPECT_EQ(must(fs.stat("etc/hostname")).inode, must(fs.stat("etc/hostname2")).inode);
  EXPECT_EQ(must(fs.read_link("etc/fast")), std::string(59, 'f'));
  EXPECT_EQ(must(fs.read_link("etc/slow")), std::string(60, 's'));
  EXPECT_EQ(must(fs.stat("etc/hostname")).mtime.nanoseconds, 1U);
}

TEST(TreeWriter, TheLaterEntryWins) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  add_file(writer, "a", std::string(100'000, 'o'));
  add_file(writer, "a", "new");
  must(writer.entry(directory("d", 0700)));
  add_file(writer, "d/inside", "kept");
  must(writer.entry(directory("d", 0711)));
  add_file(writer, "file-to-link", "x");
  must(writer.entry(symlink("file-to-link", "a")));
  add_file(writer, "file-to-directory", "x");
  must(writer.entry(directory("file-to-directory")));
  must(writer.entry(directory("empty")));
  add_file(writer, "empty", "file now");
  add_file(writer, "first", "both");
  must(writer.entry(hard_link("second", "first")));
  add_file(writer, "first", "alone");
  must(writer.entry(hard_link("second", "second")));
  EXPECT_THAT(what_of(writer.entry(file("d"))), HasSubstr("not empty"));
  EXPECT_THAT(what_of(writer.entry(hard_link("d", "a"))), HasSubstr("not empty"));
  EXPECT_THAT(what_of(writer.entry(file(""))), HasSubstr("root"));
  EXPECT_THAT(what_of(writer.entry(file("lost+found"))), HasSubstr("cannot become"));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  fs = image.open(Access::read_only);
  EXPECT_EQ(must(fs.read_file("a", 100)), "new");
  EXPECT_EQ(must(fs.stat("d")).mode, 0711U);
  EXPECT_EQ(must(fs.read_file("d/inside", 100)), "kept");
  EXPECT_EQ(must(fs.read_link("file-to-link")), "a");
  EXPECT_EQ(must(fs.stat("file-to-directory")).type, EntryType::directory);
  EXPECT_EQ(must(fs.read_file("empty", 100)), "file now");
  EXPECT_EQ(must(fs.read_file("first", 100)), "alone");
  EXPECT_EQ(must(fs.read_file("second", 100)), "both");
  EXPECT_EQ(must(fs.stat("second")).links, 1U);
}

TEST(TreeWriter, ParentsAreMadeAndLinksAmongThemFollowed) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  must(writer.entry(directory("usr/lib")));
  must(writer.entry(symlink("lib", "usr/lib")));
  must(writer.entry(symlink("usr/lib/abs", "/../../usr")));
  add_file(writer, "lib/abs/share/file", "x");
  must(writer.entry(symlink("loop", "loop/loop")));
  add_file(writer, "plain", "x");
  EXPECT_THAT(what_of(writer.entry(file("loop/file"))), HasSubstr("more than 40 links"));
  EXPECT_THAT(what_of(writer.entry(file("plain/file"))), HasSubstr("'plain' is no directory"));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  fs = image.open(Access::read_only);
  EXPECT_EQ(must(fs.read_file("usr/share/file", 10)), "x");
  EXPECT_EQ(must(fs.stat("usr/share")).mode, 0755U);
}

TEST(TreeWriter, RefusesWhatExt4CannotHold) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  must(writer.entry(file(std::string(255, 'n'))));
  EXPECT_THAT(what_of(writer.entry(file(std::string(256, 'n')))),
              HasSubstr("the name of 256 bytes is too long: ext4 takes 255"));
  EXPECT_THAT(what_of(writer.entry(file(std::string(256, 'n') + "/x"))), HasSubstr("too long"));
  EXPECT_THAT(what_of(writer.entry(file("large", 1ULL << 44))), HasSubstr("larger than ext4 can hold"));
  EXPECT_THAT(what_of(writer.entry(symlink("l", ""))), HasSubstr("not possible"));
  EXPECT_THAT(what_of(writer.entry(symlink("l", std::string(4096, 'x')))), HasSubstr("not possible"));
  EXPECT_THAT(what_of(writer.entry(hard_link("l", "none"))), HasSubstr("'none' does not exist"));
  EXPECT_THAT(what_of(writer.entry(hard_link("l", "none/deep"))), HasSubstr("'none' does not exist"));
  EXPECT_THAT(what_of(writer.entry(hard_link("l", "lost+found"))), HasSubstr("is a directory"));
  EXPECT_THAT(what_of(writer.entry(file("a/.."))), HasSubstr("normalised"));
  Entry with = file("with");
  with.xattrs["user.large"] = std::string(5000, 'x');
  EXPECT_THAT(what_of(writer.entry(with)), HasSubstr("does not fit"));
  with.xattrs = {{"colour", "blue"}};
  EXPECT_THAT(what_of(writer.entry(with)), HasSubstr("no place for an attribute named 'colour'"));
  with.xattrs = {{"system.posix_acl_access", "broken"}};
  EXPECT_THAT(what_of(writer.entry(with)), HasSubstr("access control list is broken"));
  const std::byte bytes[10] = {};
  must(writer.entry(directory("d")));
  EXPECT_THAT(what_of(writer.data(0, bytes)), HasSubstr("without a file"));
  must(writer.entry(file("small", 5)));
  EXPECT_THAT(what_of(writer.data(0, bytes)), HasSubstr("do not fit"));
  must(writer.data(4, std::span(bytes).first(1)));
  EXPECT_THAT(what_of(writer.data(0, std::span(bytes).first(1))), HasSubstr("do not fit"));
  must(writer.finish());
  EXPECT_FALSE(writer.finish());
  must(fs.close());
  image.expect_clean();
}

TEST(TreeWriter, WantsAFreshFileSystem) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  must(fs.write_file("file", "x"));
  TreeWriter used(fs);
  EXPECT_THAT(what_of(used.entry(file("a"))), HasSubstr("just formatted"));
  must(fs.close());
  fs = image.open();
  TreeWriter opened(fs);
  EXPECT_THAT(what_of(opened.finish()), HasSubstr("just formatted"));
}

TEST(TreeWriter, HolesStayHoles) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  constexpr std::uint64_t size = 8ULL << 40;
  must(writer.entry(file("sparse", size)));
  const std::string piece(5000, 'x');
  std::vector<std::uint64_t> at;
  for (std::uint64_t offset = 1000; offset + piece.size() < size; offset += size / 1500 + 12'345) {
    must(writer.data(offset, std::as_bytes(std::span(piece))));
    at.push_back(offset);
  }
  must(writer.entry(file("empty", 1ULL << 40)));
  must(writer.finish());
  const auto stats = writer.stats();
  EXPECT_LT(stats.bytes_written, 16 * mib);
  must(fs.close());
  image.expect_clean();
  fs = image.open(Access::read_only);
  EXPECT_EQ(must(fs.stat("sparse")).size, size);
  EXPECT_LT(must(fs.stat("sparse")).allocated, 16 * mib);
  EXPECT_EQ(must(fs.stat("empty")).allocated, 0U);
}

TEST(TreeWriter, ZeroesInAFileAreNotWritten) {
  Image image(256 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  std::string bytes(128 * mib, '\0');
  bytes[64 * mib] = 'x';
  add_file(writer, "swap", bytes);
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  EXPECT_LT(image.allocated(), 2 * mib);
  fs = image.open(Access::read_only);
  EXPECT_TRUE(must(fs.read_file("swap", 256 * mib)) == bytes);
  EXPECT_GE(must(fs.stat("swap")).allocated, 128 * mib);
}

TEST(TreeWriter, DataMayComeInPiecesOfAnySize) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  std::string bytes(9 * mib + 777, '\0');
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>((at * 2654435761U >> 16) | 1);
  }
  std::size_t step = 1;
  for (const char* name : {"a", "b", "c"}) {
    must(writer.entry(file(name, bytes.size())));
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = std::min(step, bytes.size() - at);
      must(writer.data(at, std::as_bytes(std::span(bytes).subspan(at, length))));
      at += length;
      step = step * 7 % 200'003;
    }
  }
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  fs = image.open(Access::read_only);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_TRUE(must(fs.read_file(name, 16 * mib)) == bytes) << name;
  }
}

TEST(TreeWriter, ManyNamesInOneDirectory) {
  Image image(1024 * mib);
  FileSystem fs = image.format(4096);
  TreeWriter writer(fs);
  for (int number = 0; number < 20'000; ++number) {
    must(writer.entry(file("many/" + std::to_string(number))));
  }
  for (int number = 0; number < 3000; ++number) {  // long names: 12 a block; a tree of two levels
    must(writer.entry(file("long/" + std::string(240, 'n') + std::to_string(number))));
    must(writer.entry(
        hard_link("long/" + std::string(240, 'l') + std::to_string(number), "many/" + std::to_string(number))));
    must(writer.entry(symlink("long/" + std::string(240, 's') + std::to_string(number), "x")));
  }
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  fs = image.open();
  EXPECT_EQ(must(fs.list("many")).size(), 20'000U);
  EXPECT_EQ(must(fs.list("long")).size(), 9'000U);
  for (int number = 0; number < 20'000; number += 997) {
    EXPECT_TRUE(must(fs.exists("many/" + std::to_string(number))));
  }
  EXPECT_FALSE(must(fs.exists("many/20000")));
  must(fs.write_file("many/one-more", "x"));
  must(fs.write_file("long/" + std::string(240, 'n') + "one-more", "x"));
  must(fs.remove("many/7"));
  must(fs.close());
  image.expect_clean();
}

TEST(TreeWriter, HardLinksEndWhereExt4CannotCountThem) {
  Image image(128 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  add_file(writer, "file", "x");
  Result<void> linked;
  int links = 1;
  while (linked && links < 70'000) {
    linked = writer.entry(hard_link("links/" + std::to_string(links), "file"));
    links += linked ? 1 : 0;
  }
  EXPECT_EQ(links, 65'000);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().code, ErrorCode::bad_input);
  EXPECT_THAT(told(linked.error()), HasSubstr("more than 65000 hard links"));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
}

TEST(TreeWriter, ManySubdirectories) {
  Image image(1024 * mib);
  FileSystem fs = image.format(4096);
  TreeWriter writer(fs);
  for (int number = 0; number < 66'000; ++number) {
    must(writer.entry(directory("d/" + std::to_string(number))));
  }
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  EXPECT_EQ(must(image.open().stat("d")).links, 1U);  // dir_nlink: too many to count
}

TEST(TreeWriter, AttributesInTheInodeAndInBlocksThatFilesShare) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  const std::map<std::string, std::string> large = {{"user.large", std::string(3000, 'v')},
                                                    {"user.a", ""},
                                                    {"security.capability", std::string(20, 'c')},
                                                    {"trusted.t", "t"}};
  for (int number = 0; number < 2500; ++number) {
    Entry entry = file("f" + std::to_string(number));
    entry.xattrs = large;
    must(writer.entry(entry));
  }
  Entry changed = file("f7");
  changed.xattrs = {{"user.large", "other"}};
  must(writer.entry(changed));
  must(writer.finish());
  must(fs.close());
  image.expect_clean();
  fs = image.open();
  EXPECT_EQ(must(fs.xattrs("f0")), large);
  EXPECT_EQ(must(fs.xattrs("f2499")), large);
  EXPECT_EQ(must(fs.xattrs("f7")).at("user.large"), "other");
  const std::uint64_t used = fs.used_bytes();
  must(fs.remove("f0"));
  must(fs.write_file("f1", "no attributes"));
  EXPECT_EQ(fs.used_bytes(), used + 4096);
  must(fs.close());
  image.expect_clean();
}

// Blocks that were taken, given back and taken again are counted once.
TEST(TreeWriter, ReplacedFilesMakeRoomInAFullFileSystem) {
  Image image(16 * mib);
  FileSystem fs = image.format();
  const std::uint64_t free = fs.free_bytes();
  TreeWriter writer(fs);
  const std::string half(free / 2 - 64 * 1024, 'x');
  for (int round = 0; round < 6; ++round) {
    add_file(writer, "a", half);
    add_file(writer, "b", half);
    add_file(writer, "c" + std::to_string(round), "small");
  }
  must(writer.finish());
  EXPECT_GT(fs.free_bytes(), 0U);
  must(fs.close());
  image.expect_clean();
  EXPECT_EQ(must(image.open().read_file("b", 16 * mib)), half);
}

TEST(TreeWriter, TwiceTheSameTreeGivesTheSameBytes) {
  std::string bytes[2];
  for (std::string& each : bytes) {
    Image image(32 * mib);
    FileSystem fs = image.format();
    TreeWriter writer(fs);
    for (int number = 0; number < 500; ++number) {
      add_file(writer, "d/" + std::to_string(number * 7919 % 500),
               std::string(static_cast<std::size_t>(number) * 10, 'x'));
    }
    must(writer.finish());
    must(fs.close());
    each = must(read_file(image.path(), 32 * mib));
  }
  EXPECT_TRUE(bytes[0] == bytes[1]);
}

}  // namespace
}  // namespace domsmith::extfs
