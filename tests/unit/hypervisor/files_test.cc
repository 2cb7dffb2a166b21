// What an installation writes and runs, as texts: tests/golden/install; DOMSMITH_UPDATE_GOLDEN=1 writes them anew.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error_text.h"
#include "base/file.h"
#include "base/text.h"
#include "hypervisor/installer/commands.h"
#include "hypervisor/installer/host_files.h"
#include "hypervisor/installer/install.h"
#include "hypervisor/installer/live_inventory.h"
#include "tests/unit/golden.h"
#include "tests/unit/hypervisor/disks.h"

namespace domsmith {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

constexpr const char* kAnswer = R"(
[host]
name = "xen1"
ssh-keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"]
[xen]
guest-cpus = "all,^0"
[[disk]]
serial = "S1"
[[disk]]
serial = "S2"
[storage]
wipe = "named"
[[network]]
macs = ["3c:ec:ef:01:02:03", "3c:ec:ef:01:02:04"]
vlan = 7
addresses = ["192.0.2.10/24", "2001:db8::10/64"]
gateways = ["192.0.2.1"]
dns = ["192.0.2.53"]
[[network]]
bridge = "guests"
macs = ["3c:ec:ef:01:02:05"]
[images]
recipes = ["debian-ssh"]
[[guest]]
image = "debian-ssh"
name = "web"
count = 3
)";

InventoryDisk disk(const std::string& path, const std::string& serial) { return sata_disk(path, 8ULL << 30, serial); }

Inventory machine() {
  Inventory inventory;
  inventory.disks = {disk("/dev/nvme0n1", "S1"), disk("/dev/sdb", "S2")};
  inventory.disks[1].holds = {{.type = "gpt", .name = ""}};
  inventory.disks[1].partitions = {
      {.path = "/dev/sdb1", .size = 1U << 30, .holds = {{.type = "LVM2_member", .name = "old"}}}};
  inventory.cards = {{"a", "3c:ec:ef:01:02:03"}, {"b", "3c:ec:ef:01:02:04"}, {"c", "3c:ec:ef:01:02:05"}};
  return inventory;
}

struct Ready {
  Answer answer;
  InstallPlan plan;
};
Ready ready(const std::string& text = kAnswer) {
  auto answer = parse_answer(text, "a.toml");
  EXPECT_TRUE(answer) << error_text(answer.error());
  auto plan = plan_install(*answer, machine());
  EXPECT_TRUE(plan) << error_text(plan.error());
  return {std::move(*answer), std::move(*plan)};
}

void expect_install_text(const std::string& name, const std::string& text) {
  golden::expect_text(std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/install" / name, text);
}

TEST(HostFiles, OfABondWithAVlan) {
  const Ready all = ready();
  std::string text;
  for (const auto& [path, file] : host_files(all.answer, all.plan, {}, *seeded_random(1))) {
    text += fmt::format("--- {} {:04o}\n{}", path, file.mode, file.content);
  }
  expect_install_text("host-files.txt", text);
}

TEST(HostFiles, WithoutAKeyNobodyMayLogIn) {
  Ready all = ready();
  all.answer.host.ssh_keys.clear();
  EXPECT_THAT(host_files(all.answer, all.plan, {}, *seeded_random(1)), Not(Contains(Key("ssh/authorized_keys"))));
}

TEST(InstallCommands, OfRaid1OverADiskThatHeldThings) {
  const InstallPlan plan = ready().plan;
  std::vector<InstallCommand> commands;
  for (const PlannedDisk& one : plan.disks) {
    for (const EraseStep& step : one.erase) {
      for (const InstallCommand& command : erase_commands(step)) {
        commands.push_back(command);
      }
    }
    commands.push_back(clear_command(one));
  }
  commands.push_back(array_command(plan));
  for (const InstallCommand& command : volume_commands(plan)) {
    commands.push_back(command);
  }
  commands.push_back(state_command(plan));
  commands.push_back(esp_command(plan.disks[0]));
  std::string text;
  for (const InstallCommand& command : commands) {
    text += join(command.argv, " ") + (command.may_fail ? "   (may fail)\n" : "\n") + command.input;
  }
  expect_install_text("commands.txt", text);
}

TEST(LiveInventory, SignaturesAreWhatBlkidTells) {
  const auto found = signatures_of_blkid("DEVNAME=/dev/sda1\nLABEL=root\nUUID=1\nTYPE=ext4\nUSAGE=filesystem\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].type, "ext4");
  EXPECT_EQ(found[0].name, "root");
  EXPECT_EQ(signatures_of_blkid("PTUUID=1\nPTTYPE=gpt\n").at(0).type, "gpt");
  EXPECT_TRUE(signatures_of_blkid("").empty());
}

TEST(InstallPlan, WhatAnInterruptedInstallationLeftIsTakenAgain) {
  Inventory inventory = machine();
  const auto answer =
      parse_answer(std::string(kAnswer).replace(std::string(kAnswer).find("named"), 5, "empty"), "a.toml");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(plan_install(*answer, inventory));
  inventory.disks[1].unfinished = true;
  EXPECT_TRUE(plan_install(*answer, inventory));
}

// An answer file of a stick or a URL knows nothing of the medium. Nothing is done before that is seen: there is no
// device here.
TEST(Install, GuestsOfAnImageThatTheMediumLacksAreRefusedFirst) {
  TemporaryDirectory medium = TemporaryDirectory::make().value();
  ASSERT_TRUE(write_file_atomic(medium.path() / "domsmith/medium.json", R"({"slot": {}, "images": {"other": {}}})"));
  const Ready all = ready();
  SilentProgress progress;
  Report report("", "xen1", progress);
  const InstallSources sources{.medium = medium.path(), .target = medium.path(), .work = medium.path() / "work"};
  const auto done =
      install({.answer = all.answer, .plan = all.plan, .cards = {}}, sources, system_random(), report, progress);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "the medium carries no image 'debian-ssh', of which there are to be guests");
  EXPECT_FALSE(std::filesystem::exists(medium.path() / "work")) << "it has begun";
}

TEST(HostFiles, TheConsolePasswordIsRootsAlone) {
  EXPECT_EQ(shadow_with_root("daemon:*:1:0:99999:7:::\nroot:*:1:0:99999:7:::\nrooter:!:1::::::\n", "$y$j9T$x"),
            "daemon:*:1:0:99999:7:::\nroot:$y$j9T$x:1:0:99999:7:::\nrooter:!:1::::::\n");
}

}  // namespace
}  // namespace domsmith
