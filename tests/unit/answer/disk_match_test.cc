#include "hypervisor/answer/disk_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace domsmith {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t gib = 1ULL << 30;

InventoryDisk disk(std::string path, std::uint64_t size, std::string serial) {
  InventoryDisk disk;
  disk.path = std::move(path);
  disk.size = size;
  disk.bus = "nvme";
  disk.serial = std::move(serial);
  return disk;
}

Inventory machine() {
  Inventory inventory;
  inventory.disks = {disk("/dev/nvme0n1", 500'107'862'016, "A1"), disk("/dev/nvme1n1", 500'107'862'016, "A2"),
                     disk("/dev/nvme2n1", 2000 * gib, "B1")};
  return inventory;
}

DiskMatch by_size(std::string text) {
  DiskMatch match;
  match.size = parse_size_range(text).value();
  match.size_text = std::move(text);
  return match;
}

DiskMatch by_serial(std::string serial) {
  DiskMatch match;
  match.serial = std::move(serial);
  return match;
}

TEST(SizeRange, IsReadInItsFourForms) {
  EXPECT_EQ(parse_size_range(">= 100GiB")->least, 100 * gib);
  EXPECT_EQ(parse_size_range(">= 100GiB")->most, UINT64_MAX);
  EXPECT_EQ(parse_size_range("<=2GiB")->most, 2 * gib);
  EXPECT_EQ(parse_size_range("1 GiB..2 GiB")->least, gib);
  const auto about = parse_size_range("500GB");
  ASSERT_TRUE(about);
  EXPECT_LE(about->least, 500'107'862'016U);
  EXPECT_GE(about->most, 500'107'862'016U);
  EXPECT_GT(about->least, 450'000'000'000U);
}

TEST(SizeRange, RefusesWhatIsNone) {
  for (const char* text : {"", "big", ">=", "2GiB..1GiB", "1GiB..", "> 3GiB", "18446744073709551615"}) {
    EXPECT_FALSE(parse_size_range(text)) << text;
  }
}

TEST(ChooseDisks, TakesTheOneThatFits) {
  const auto chosen = choose_disks({by_size(">= 1TiB")}, machine());
  ASSERT_TRUE(chosen);
  EXPECT_EQ((*chosen)[0].path, "/dev/nvme2n1");
}

TEST(ChooseDisks, AnAmbiguousMatchListsWhatWasFound) {
  const auto chosen = choose_disks({by_size("500GB")}, machine());
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::bad_input);
  EXPECT_EQ(chosen.error().what, "2 disks fit 'size 500GB'");
  EXPECT_THAT(chosen.error().remedy, HasSubstr("serial A1"));
  EXPECT_THAT(chosen.error().remedy, HasSubstr("serial A2"));
  EXPECT_THAT(chosen.error().remedy, testing::Not(HasSubstr("serial B1")));
}

TEST(ChooseDisks, NoneFittingListsAll) {
  const auto chosen = choose_disks({by_serial("Z9")}, machine());
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().what, "no disk fits 'serial Z9'");
  EXPECT_THAT(chosen.error().remedy, HasSubstr("serial B1"));
}

TEST(ChooseDisks, WhoIsNamedIsNotInDoubtForTheOthers) {
  const auto chosen = choose_disks({by_size("500GB"), by_serial("a1")}, machine());
  ASSERT_TRUE(chosen) << chosen.error().what;
  EXPECT_EQ((*chosen)[0].path, "/dev/nvme1n1");
  EXPECT_EQ((*chosen)[1].path, "/dev/nvme0n1");
}

TEST(ChooseDisks, AStickIsNeverTaken) {
  Inventory inventory = machine();
  inventory.disks[2].removable = true;
  EXPECT_FALSE(choose_disks({by_size(">= 1TiB")}, inventory));
  const auto named = choose_disks({by_serial("B1")}, inventory);
  ASSERT_FALSE(named);
  EXPECT_THAT(named.error().what, HasSubstr("is removable"));
}

}  // namespace
}  // namespace domsmith
