// Disks of a volume group read past LVM: what is not as LVM leaves it is refused.
#include "lvm-snapshots/lvm_disk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>

#include "base/file.h"
#include "lvm-snapshots/lvm_report.h"
#include "tests/unit/stores/lvm_disk_image.h"

namespace domsmith::testing {
namespace {

const std::string pool_and_web =
    "pool {\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nsegment1 {\nstart_extent = 0\nextent_count = 40\ntype = "
    "\"thin-pool\"\nmetadata = \"pool_tmeta\"\npool = \"pool_tdata\"\ntransaction_id = 2\nchunk_size = "
    "128\nzero_new_blocks = 1\n}\n}\n"
    "web-1.fresh {\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\ntags = [\"domsmith\", \"domsmith.clone\"]\nsegment1 "
    "{\nstart_extent = 0\nextent_count = 256\ntype = \"thin\"\nthin_pool = \"pool\"\ndevice_id = 2\norigin = "
    "\"gold\"\n}\n}\n"
    "pool_tmeta {\nstatus = [\"READ\", \"WRITE\"]\nsegment1 {\nextent_count = 3\ntype = \"striped\"\nstripe_count = "
    "1\nstripes = [\n\"pv0\", 0\n]\n}\n}\n"
    "pool_tdata {\nstatus = [\"READ\", \"WRITE\"]\nsegment1 {\nextent_count = 40\ntype = \"striped\"\nstripe_count = "
    "1\nstripes = [\n\"pv0\", 3\n]\n}\n}\n";

TEST_F(LvmDiskImages, TheTextOfOneDisk) {
  const std::string text = group_text("a", pool_and_web);
  const auto seen = read({disk('a', text)});
  ASSERT_TRUE(ok(seen));
  EXPECT_EQ(seen->text, text);
  // Half of the ring less a sector is for a text; whole sectors of it are free.
  EXPECT_EQ(seen->area_free, ((area_size - header) / 2 - 512 - (text.size() + 1)) / 512 * 512);
}

TEST_F(LvmDiskImages, ATextGoesOnAtTheBeginningOfItsRing) {
  const std::string text = group_text("a", pool_and_web);
  const auto seen = read({disk('a', text, area_size - 512)});
  ASSERT_TRUE(ok(seen));
  EXPECT_EQ(seen->text, text);
}

TEST_F(LvmDiskImages, AllDisksOfTheGroupAreLookedAt) {
  const std::string text = group_text("ab");
  const auto a = disk('a', text), b = disk('b', text);
  EXPECT_TRUE(ok(read({a, b})));
  EXPECT_TRUE(fails(read({a}), ErrorCode::not_found)) << "nobody knows where the other is";
  std::filesystem::create_directories(folder_.path() / "links");
  std::filesystem::create_symlink(b, folder_.path() / "links" / ("lvm-pv-uuid-" + shown_id('b')));
  EXPECT_TRUE(ok(read({a}))) << "udev knows it";
  EXPECT_TRUE(fails(read({a, b, disk('c', text)}), ErrorCode::not_found)) << "a disk that is none of the group's";
  EXPECT_TRUE(fails(read({}), ErrorCode::not_found));
}

TEST_F(LvmDiskImages, DisksThatDifferAreLeftToLvm) {
  EXPECT_TRUE(fails(read({disk('a', group_text("ab", "", 7)), disk('b', group_text("ab", "", 8))}), ErrorCode::busy));
  // An area that is not in use says nothing.
  EXPECT_TRUE(ok(read({disk('a', group_text("ab", "", 7)), disk('b', group_text("ab", "", 8), header, 1)})));
}

TEST_F(LvmDiskImages, AnotherGroupsTextIsNotTaken) {
  EXPECT_TRUE(
      fails(read_group_disks("vg1", std::vector{disk('a', group_text("a"))}, folder_.path()), ErrorCode::not_found));
}

TEST_F(LvmDiskImages, WhatDoesNotFitItsChecksumIsRefused) {
  const auto path = disk('a', group_text("a"));
  const std::string good = must_have(read_file(path));
  for (const std::size_t at :
       {std::size_t{512 + 40}, std::size_t{area_start + 60}, std::size_t{area_start + header + 9}}) {
    std::string bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(read({write("bad", bad)})) << at;
  }
  for (std::size_t length = 0; length < area_start + header + 512; length += 512) {
    EXPECT_FALSE(read({write("short", good.substr(0, length))})) << length;
  }
  EXPECT_FALSE(read({write("none", std::string(1 << 16, '\0'))}));
}

std::optional<LvmGroup> group_with(const std::string& volumes) {
  return must_have(group_of_text({.text = group_text("a", volumes), .area_free = 4096}, "vg0"));
}

TEST(LvmGroupTextTest, SaysWhatLvmReports) {
  auto group = group_with(pool_and_web);
  ASSERT_TRUE(group);
  EXPECT_FALSE(group->find("pool")->active);
  add_mapped(*group, {{"pool", {.open = true, .data_percent = 12.5, .metadata_percent = 3.0}}});
  EXPECT_EQ(group->size, 100 * (4ULL << 20));
  EXPECT_EQ(group->free, 57 * (4ULL << 20));
  EXPECT_EQ(group->metadata_free, 4096U);
  ASSERT_EQ(group->volumes.size(), 2U) << "the pool's parts are nobody's to see";
  const LvmVolume& web = *group->find("web-1");
  EXPECT_TRUE(web.fresh && web.ours && !web.active);
  EXPECT_EQ(web.lv, "web-1.fresh");
  EXPECT_EQ(web.origin, "gold");
  EXPECT_EQ(web.pool, "pool");
  EXPECT_EQ(web.size, 1ULL << 30);
  const LvmVolume& pool = *group->find("pool");
  EXPECT_TRUE(pool.thin_pool && pool.zeroes && pool.active && !pool.ours);
  EXPECT_EQ(pool.metadata_size, 12ULL << 20);
  EXPECT_EQ(pool.data_percent, 12.5);
}

TEST(LvmGroupTextTest, WhatIsNotUnderstoodIsLeftToLvm) {
  const auto volume = [](const std::string& segment) {
    return group_with("x {\nstatus = [\"VISIBLE\"]\nsegment1 {\nextent_count = 1\n" + segment + "\n}\n}\n");
  };
  EXPECT_TRUE(volume("type = \"striped\"\nstripes = [\"pv0\", 0]"));
  EXPECT_FALSE(volume("type = \"striped\"\nstripes = [\"other\", 0]"));
  EXPECT_FALSE(volume("type = \"raid1\"\nraids = [\"x_rmeta_0\", \"x_rimage_0\"]"));
  EXPECT_FALSE(volume("type = \"thin\"\nthin_pool = \"pool\"\nexternal_origin = \"y\""));
  EXPECT_FALSE(volume("type = \"thin\"\nthin_pool = \"pool\"\nmerge = \"y\""));
  std::string text = group_text("a");
  text.replace(text.find("\"WRITE\""), 7, "\"EXPORTED\"");
  EXPECT_FALSE(must_have(group_of_text({text, 0}, "vg0")));
  text = group_text("a");
  text.replace(text.find("flags = []\npe_count"), 10, "flags = [\"MISSING\"]");
  EXPECT_FALSE(must_have(group_of_text({text, 0}, "vg0")));
}

}  // namespace
}  // namespace domsmith::testing
