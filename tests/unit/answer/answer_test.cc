// Answer files: values of a right one; error texts byte for byte for wrong ones: tests/golden/answer/NAME.toml must
// give NAME.txt.
#include "hypervisor/answer/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error_text.h"
#include "tests/unit/golden.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::filesystem::path folder = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/answer";

constexpr std::string_view least = R"(
[host]
name = "xen1"
ssh-keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"]
[[disk]]
serial = "S1"
)";

TEST(AnswerFile, LeastOneHasDefaults) {
  const auto answer = parse_answer(least, "a.toml");
  ASSERT_TRUE(answer) << error_text(answer.error());
  EXPECT_EQ(answer->host.name, "xen1");
  EXPECT_EQ(answer->xen.dom0_memory, 256U << 20);
  EXPECT_EQ(answer->storage.wipe, WipePolicy::empty);
  EXPECT_FALSE(answer->storage.raid1);
  EXPECT_EQ(answer->storage.pool_size, 0U);
  EXPECT_THAT(answer->storage.disks, SizeIs(1));
  EXPECT_EQ(answer->storage.disks[0].size.most, UINT64_MAX);
  EXPECT_THAT(answer->networks, IsEmpty());
  EXPECT_EQ(answer->finish, AnswerFinish::reboot);
}

TEST(AnswerFile, HoldsWhatItSays) {
  const std::string text = "finish = \"poweroff\"\n" + std::string(least) + R"(
[[disk]]
size = ">= 100GiB"
bus = "nvme"
[[network]]
macs = ["3c:ec:ef:01:02:03", "3c:ec:ef:01:02:04"]
bond = "active-backup"
vlan = 12
addresses = ["192.0.2.10/24", "2001:db8::10/64"]
gateways = ["192.0.2.1"]
[images]
recipes = ["debian-ssh"]
[[guest]]
image = "debian-ssh"
name = "web"
count = 3
)";
  const auto answer = parse_answer(text, "a.toml");
  ASSERT_TRUE(answer) << error_text(answer.error());
  EXPECT_EQ(answer->finish, AnswerFinish::poweroff);
  EXPECT_TRUE(answer->storage.raid1);
  EXPECT_EQ(answer->storage.disks[1].size.least, 100ULL << 30);
  ASSERT_THAT(answer->networks, SizeIs(1));
  EXPECT_EQ(answer->networks[0].name, "xenbr0");
  EXPECT_EQ(answer->networks[0].bond_mode, "active-backup");
  EXPECT_EQ(answer->networks[0].vlan, 12U);
  EXPECT_FALSE(answer->networks[0].dhcp);
  EXPECT_THAT(answer->recipes, ElementsAre("debian-ssh"));
  ASSERT_THAT(answer->guests, SizeIs(1));
  EXPECT_EQ(answer->guests[0].count, 3U);
}

class AnswerError : public testing::TestWithParam<std::string> {};

TEST_P(AnswerError, IsTheGoldenText) {
  std::filesystem::current_path(folder);  // so that the text names no folder
  const auto answer = load_answer(GetParam() + ".toml");
  ASSERT_FALSE(answer) << "an answer file of this folder must be wrong";
  EXPECT_EQ(exit_status(answer.error()), 2);
  golden::expect_text(folder / (GetParam() + ".txt"), error_text(answer.error()));
}

INSTANTIATE_TEST_SUITE_P(Golden, AnswerError, testing::ValuesIn(golden::toml_names(folder)), golden::test_name);

}  // namespace
}  // namespace domsmith
