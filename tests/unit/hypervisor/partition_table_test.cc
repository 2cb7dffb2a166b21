// The partition table, as sfdisk(8) reads it.
#include "hypervisor/installer/partition_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

constexpr const char* kDiskGuid = "d0351171-0000-4000-8000-000000000001";
constexpr const char* kLvm = "E6D6D379-F507-44C2-A23C-238F2A3DF928";

std::vector<PlannedPartition> two_partitions() {
  return {{.number = 1,
           .name = "bios-boot",
           .type = "21686148-6449-6E6F-744E-656564454649",
           .start = 1U << 20,
           .size = 1U << 20},
          {.number = 3, .name = "lvm", .type = kLvm, .start = 2U << 20, .size = 5U << 20}};
}
const std::vector<std::string> kGuids{"11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"};

TEST(PartitionTable, IsWhatSfdiskReads) {
  const auto work = TemporaryDirectory::make();
  ASSERT_TRUE(work);
  const std::filesystem::path file = work->path() / "disk";
  ASSERT_TRUE(write_file_atomic(file, "boot code"));
  std::filesystem::resize_file(file, 8U << 20);
  const auto disk = open_block_target(file.string(), Access::read_write);
  ASSERT_TRUE(disk);
  ASSERT_TRUE(write_partition_table(**disk, two_partitions(), kDiskGuid, kGuids));

  const auto sfdisk = find_program("sfdisk");
  ASSERT_TRUE(sfdisk);
  const auto verified = run({.argv = {*sfdisk, "--verify", file.string()}, .environment = {}, .working_directory = {}});
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->status.success()) << verified->err_tail;
  EXPECT_THAT(verified->out, HasSubstr("No errors detected"));
  EXPECT_EQ(verified->err_tail, "");  // a damaged copy would be told of here
  const auto dumped =
      run_checked({.argv = {*sfdisk, "--json", file.string()}, .environment = {}, .working_directory = {}});
  ASSERT_TRUE(dumped);
  const nlohmann::json table = nlohmann::json::parse(dumped->out)["partitiontable"];
  EXPECT_EQ(table["id"], "D0351171-0000-4000-8000-000000000001");
  EXPECT_EQ(table["label"], "gpt");
  ASSERT_EQ(table["partitions"].size(), 2U);
  EXPECT_EQ(table["partitions"][1]["start"], 4096);
  EXPECT_EQ(table["partitions"][1]["size"], 10240);
  EXPECT_EQ(table["partitions"][1]["type"], kLvm);
  EXPECT_EQ(table["partitions"][1]["uuid"], "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE");
  EXPECT_EQ(table["partitions"][1]["name"], "lvm");
  EXPECT_THAT(read_file(file)->substr(0, 9), "boot code");
}

// The second copy alone: the first one's sectors are gone.
TEST(PartitionTable, ItsCopyAtTheEndServes) {
  const auto work = TemporaryDirectory::make();
  ASSERT_TRUE(work);
  const std::filesystem::path file = work->path() / "disk";
  ASSERT_TRUE(write_file_atomic(file, std::string(8U << 20, '\0')));
  const auto disk = open_block_target(file.string(), Access::read_write);
  ASSERT_TRUE(disk);
  ASSERT_TRUE(write_partition_table(**disk, two_partitions(), kDiskGuid, kGuids));
  ASSERT_TRUE((*disk)->write(512, std::vector<std::byte>(512)));
  const auto dumped =
      run({.argv = {*find_program("sfdisk"), "--json", file.string()}, .environment = {}, .working_directory = {}});
  ASSERT_TRUE(dumped);
  EXPECT_THAT(dumped->out, HasSubstr("D0351171-0000-4000-8000-000000000001")) << dumped->err_tail;
}

TEST(PartitionTable, RefusesWhatIsNoGuid) {
  EXPECT_FALSE(partition_table(8U << 20, two_partitions(), "no guid", kGuids));
  EXPECT_FALSE(partition_table(8U << 20, two_partitions(), kDiskGuid, {kGuids[0]}));
  EXPECT_FALSE(partition_table(1U << 10, {}, kDiskGuid, {}));
}

}  // namespace
}  // namespace domsmith
