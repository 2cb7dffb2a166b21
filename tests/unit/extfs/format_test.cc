#include <gmock/gmock.h>

#include "base/crypto.h"
#include "base/process.h"
#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Format, GivesACleanFileSystemOfEverySize) {
  for (const std::uint64_t size : {1 * mib, 2 * mib, 7 * mib, 8 * mib, 64 * mib, 127 * mib, 129 * mib, 512 * mib,
                                   2048 * mib + 4096, 5000 * mib, 70'000 * mib}) {
    SCOPED_TRACE(size);
    Image image(size);
    FileSystem fs = image.format();
    must(fs.close());
    image.expect_clean();
    EXPECT_LT(image.allocated(), 2 * mib);
  }
}

TEST(Format, HasWhatAPersonAskedFor) {
  Image image(64 * mib);
  must(image.format().close());
  FileSystem fs = image.open(Access::read_only);
  EXPECT_EQ(fs.label(), "root");
  EXPECT_EQ(uuid_text(fs.uuid()), "6f1b1e0a-5f0e-4c53-9d1b-3a1f8a3f7c11");
  EXPECT_EQ(fs.size(), 64 * mib);
  EXPECT_EQ(fs.block_size(), 4096U);
  EXPECT_EQ(fs.used_bytes() + fs.free_bytes(), fs.size());
  const auto items = must(fs.list("/"));
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].name, "lost+found");
  EXPECT_EQ(must(fs.stat("/lost+found")).mode, 0700U);
  EXPECT_EQ(must(fs.stat("/")).mode, 0755U);
}

TEST(Format, TwiceTheSameGivesTheSameBytes) {
  std::string sums[2];
  for (std::string& sum : sums) {
    Image image(64 * mib);
    must(image.format().close());
    sum = sha256_hex(must(read_file(image.path(), 64 * mib)));
  }
  EXPECT_EQ(sums[0], sums[1]);
}

TEST(Format, LeavesNothingToLazyInitialisation) {
  const auto dumpe2fs = find_program("dumpe2fs");
  if (!dumpe2fs) {
    GTEST_SKIP() << "dumpe2fs is not installed";
  }
  Image image(1024 * mib);
  must(image.format().close());
  const auto dump = must(run_checked({.argv = {*dumpe2fs, image.path()}, .environment = {}, .working_directory = {}}));
  EXPECT_THAT(dump.out, HasSubstr("metadata_csum_seed"));
  EXPECT_THAT(dump.out, HasSubstr("ITABLE_ZEROED"));
  std::size_t groups = 0;
  std::size_t zeroed = 0;
  for (std::size_t at = 0; (at = dump.out.find(": (Blocks ", at)) != std::string::npos; ++at) {
    ++groups;
    const std::string line = dump.out.substr(at, dump.out.find('\n', at) - at);
    zeroed += line.contains("ITABLE_ZEROED") ? 1 : 0;
  }
  EXPECT_EQ(groups, 8U);
  EXPECT_EQ(zeroed, groups);
}

TEST(Format, WipesATargetThatHoldsOldBytes) {
  Image image(8 * mib);
  const std::vector<std::byte> old(8 * mib, std::byte{0xa5});
  must(image.target().write(0, old));
  must(must(FileSystem::format(image.target(), {.target_reads_zero = false})).close());
  image.expect_clean();
}

TEST(Format, SaysWhatIsWrong) {
  Image small(mib / 2);
  const auto too_small = FileSystem::format(small.target(), {});
  ASSERT_FALSE(too_small);
  EXPECT_EQ(too_small.error().code, ErrorCode::no_space);
  EXPECT_EQ(too_small.error().what, "512.0 KiB is too small for a file system");

  Image image(2 * mib);
  const auto too_large = FileSystem::format(image.target(), {.size = 4 * mib});
  ASSERT_FALSE(too_large);
  EXPECT_THAT(too_large.error().what, HasSubstr("does not fit into"));
  const auto label = FileSystem::format(image.target(), {.label = "seventeen letters"});
  ASSERT_FALSE(label);
  EXPECT_EQ(label.error().what, "the label 'seventeen letters' is longer than 16 bytes");
}

TEST(Open, RefusesWhatIsNoFileSystem) {
  const auto empty = memory_target(mib);
  const auto opened = FileSystem::open(*empty, Access::read_only);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_EQ(opened.error().what, "memory holds no ext4 file system");
  const auto tiny = memory_target(512);
  EXPECT_FALSE(FileSystem::open(*tiny, Access::read_only));
}

TEST(Open, ReadsWhatMke2fsMade) {
  const auto mke2fs = find_program("mke2fs");
  if (!mke2fs) {
    GTEST_SKIP() << "mke2fs is not installed";
  }
  for (const char* type : {"ext2", "ext3", "ext4"}) {
    SCOPED_TRACE(type);
    Image image(32 * mib);
    must(run_checked(
        {.argv = {*mke2fs, "-q", "-t", type, "-F", image.path()}, .environment = {}, .working_directory = {}}));
    FileSystem fs = image.open();
    must(fs.make_directories("/etc/deep/er"));
    must(fs.write_file("/etc/deep/er/file", std::string(100'000, 'x')));
    must(fs.set_uuid(random_uuid()));
    must(fs.close());
    image.expect_clean();
    EXPECT_EQ(must(image.open().read_file("etc/deep/er/file", mib)).size(), 100'000U);
  }
}

TEST(SetUuid, TouchesOneBlock) {
  Image image(64 * mib);
  must(image.format().close());
  const std::string before = must(read_file(image.path(), 64 * mib));
  FileSystem fs = image.open();
  const Uuid uuid = random_uuid();
  must(fs.set_uuid(uuid));
  must(fs.set_label("clone"));
  must(fs.close());
  image.expect_clean();
  const std::string after = must(read_file(image.path(), 64 * mib));
  EXPECT_NE(before.substr(0, 4096), after.substr(0, 4096));
  EXPECT_TRUE(before.substr(4096) == after.substr(4096));
  EXPECT_EQ(image.open().uuid(), uuid);
  EXPECT_EQ(image.open().label(), "clone");
}

TEST(UsedRanges, CoverAllThatIsWritten) {
  Image image(64 * mib);
  FileSystem fs = image.format();
  must(fs.write_file("/file", std::string(3 * mib, 'x')));
  must(fs.flush());
  Image copy(64 * mib);
  std::uint64_t copied = 0;
  for (std::uint64_t at = 0;;) {
    const auto range = must(fs.next_used(at));
    if (!range) {
      break;
    }
    std::vector<std::byte> bytes(range->length);
    must(image.target().read(range->offset, bytes));
    must(copy.target().write(range->offset, bytes));
    copied += range->length;
    at = range->offset + range->length;
  }
  EXPECT_EQ(copied, fs.used_bytes());
  copy.expect_clean();
  EXPECT_EQ(must(copy.open().read_file("/file", 4 * mib)).size(), 3 * mib);
}

TEST(Uuid, IsReadAsItIsWritten) {
  const Uuid uuid = random_uuid();
  EXPECT_EQ(parse_uuid(uuid_text(uuid)), uuid);
  for (const char* bad : {"", "6f1b1e0a-5f0e-4c53-9d1b-3a1f8a3f7c1", "6f1b1e0a-5f0e-4c53-9d1b-3a1f8a3f7c11a",
                          "6f1b1e0a05f0e-4c53-9d1b-3a1f8a3f7c11", "6f1b1e0a-5f0e-4c53-9d1b-3a1f8a3f7c1g"}) {
    EXPECT_FALSE(parse_uuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace domsmith::extfs
