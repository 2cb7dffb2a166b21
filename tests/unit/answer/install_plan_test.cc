// Plans as text: tests/golden/install-plan/NAME.txt from NAME's answer and inventory below; DOMSMITH_UPDATE_GOLDEN=1
// writes them anew.
#include "hypervisor/answer/install_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error_text.h"
#include "tests/unit/golden.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

constexpr const char* kHost = R"(
[host]
name = "xen1"
ssh-keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"]
)";

constexpr const char* kMachine = R"({"schema": 1, "firmware": "uefi", "memory": 17179869184,
 "disks": [
  {"path": "/dev/sda", "size": 480103981056, "bus": "sata", "model": "Micron 5300", "serial": "S1", "holds": [], "partitions": []},
  {"path": "/dev/sdb", "size": 480103981056, "bus": "sata", "model": "Micron 5300", "serial": "S2",
   "holds": [{"type": "gpt"}],
   "partitions": [
     {"path": "/dev/sdb1", "size": 536870912, "holds": [{"type": "vfat", "name": "EFI"}]},
     {"path": "/dev/sdb2", "size": 10737418240, "holds": [{"type": "linux_raid_member", "name": "old:0"}]},
     {"path": "/dev/sdb3", "size": 10737418240, "holds": [{"type": "LVM2_member", "name": "data"}]}]},
  {"path": "/dev/sdc", "size": 4294967296, "bus": "sata", "serial": "S3", "holds": [], "partitions": []}],
 "network": [{"name": "eno1", "mac": "3c:ec:ef:01:02:03"}, {"name": "eno2", "mac": "3c:ec:ef:01:02:04"}]})";

Answer answer(const std::string& rest) {
  auto parsed = parse_answer(kHost + rest, "a.toml");
  EXPECT_TRUE(parsed) << error_text(parsed.error());
  return parsed.value_or(Answer{});
}

Inventory machine() {
  auto parsed = parse_inventory(kMachine, "m.json");
  EXPECT_TRUE(parsed) << parsed.error().what;
  return parsed.value_or(Inventory{});
}

void expect_golden(const std::string& name, const std::string& text) {
  golden::expect_text(std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/install-plan" / (name + ".txt"), text);
}

const std::string kNet = "[[network]]\nmacs = [\"3c:ec:ef:01:02:03\"]\n";

TEST(InstallPlan, OneEmptyDisk) {
  const auto plan = plan_install(answer("[[disk]]\nserial = \"S1\"\n" + kNet), machine());
  ASSERT_TRUE(plan) << error_text(plan.error());
  expect_golden("one-empty-disk", install_plan_text(*plan));
}

TEST(InstallPlan, RaidOverADiskThatHeldThings) {
  const auto plan = plan_install(answer(R"(
[storage]
wipe = "named"
pool-size = "100GiB"
[[disk]]
serial = "S1"
[[disk]]
serial = "S2"
[[network]]
macs = ["3c:ec:ef:01:02:03", "3c:ec:ef:01:02:04"]
vlan = 7
addresses = ["192.0.2.10/24"]
gateways = ["192.0.2.1"]
)"),
                                 machine());
  ASSERT_TRUE(plan) << error_text(plan.error());
  expect_golden("raid-with-erasure", install_plan_text(*plan));
}

TEST(InstallPlan, VolumesFitTheGroupToTheLastExtent) {
  constexpr std::uint64_t mib = 1U << 20;
  const auto plan = plan_install(answer("[[disk]]\nserial = \"S3\"\n" + kNet), machine());
  ASSERT_TRUE(plan) << error_text(plan.error());
  std::uint64_t used = 0;
  for (const auto& volume : plan->volumes) {
    EXPECT_EQ(volume.size % (4 * mib), 0U) << volume.name;
    used += volume.size;
  }
  const std::uint64_t group = (plan->disks[0].partitions[2].size - group_metadata) / (4 * mib) * (4 * mib);
  EXPECT_LE(used + 2 * 16 * mib, group);
  EXPECT_GE(used + 2 * 16 * mib + 32 * mib, group) << "room is left unused";
  const auto& last = plan->disks[0].partitions[2];
  EXPECT_LE(last.start + last.size, 4294967296U - mib);
}

TEST(InstallPlan, ADiskThatHoldsDataIsRefused) {
  const auto plan = plan_install(answer("[[disk]]\nserial = \"S2\"\n" + kNet), machine());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(plan.error().what, HasSubstr("is not empty: gpt; /dev/sdb1 vfat EFI"));
  EXPECT_THAT(plan.error().remedy, HasSubstr("wipe = \"named\""));
}

TEST(InstallPlan, AGroupThatGoesOnElsewhereIsNotBroken) {
  Inventory inventory = machine();
  inventory.disks[0].holds = {{.type = "LVM2_member", .name = "data"}};
  const auto plan = plan_install(answer("[storage]\nwipe = \"named\"\n[[disk]]\nserial = \"S2\"\n" + kNet), inventory);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().what, HasSubstr("the volume group 'data' on /dev/sdb has a part on /dev/sda"));
}

TEST(InstallPlan, ADiskThatIsTooSmallSaysByHowMuch) {
  const auto plan = plan_install(answer("[storage]\nstate = \"4GiB\"\n[[disk]]\nserial = \"S3\"\n" + kNet), machine());
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().what, HasSubstr("/dev/sdc, 4.0 GiB, sata, serial S3 is 876.0 MiB too small"));
}

TEST(InstallPlan, AnAbsentCardIsNamed) {
  const auto plan =
      plan_install(answer("[[disk]]\nserial = \"S1\"\n[[network]]\nmacs = [\"3c:ec:ef:00:00:00\"]\n"), machine());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().what, "no network card has the MAC 3c:ec:ef:00:00:00 of the bridge 'xenbr0'");
  EXPECT_EQ(plan.error().remedy, "there are: 3c:ec:ef:01:02:03, 3c:ec:ef:01:02:04");
}

TEST(Inventory, IsReadBackAsItWasWritten) {
  const Inventory before = machine();
  const auto after = parse_inventory(inventory_json(before).dump(), "again.json");
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(inventory_json(before), inventory_json(*after));
}

TEST(Inventory, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"schema": 2})", R"({"schema": 1, "firmware": "bios", "memory": "much"})",
        R"({"schema": 1, "firmware": "bios", "memory": 1, "disks": [{}], "network": []})", "{\"schema\": \"\xff\"}"}) {
    const auto parsed = parse_inventory(text, "m.json");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
    EXPECT_THAT(parsed.error().what, testing::StartsWith("m.json is no inventory"));
  }
}

}  // namespace
}  // namespace domsmith
