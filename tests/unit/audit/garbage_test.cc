// What is garbage, and what is left alone.
#include "provision/audit/garbage.h"

#include <gmock/gmock.h>

#include "base/error_text.h"
#include "tests/unit/audit/sample_world.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GarbageTest : public testing::Test {
 protected:
  std::vector<VolumeInfo>& volumes() { return world_.stores.front().survey.volumes; }
  Garbage found() {
    auto garbage = find_garbage(world_);
    EXPECT_TRUE(garbage) << error_text(garbage.error());
    return garbage.value_or(Garbage());
  }
  World world_ = sample_world();
};

TEST_F(GarbageTest, WhatHasAnOwnerIsNone) {
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(plan_text(found()), "nothing: everything has an owner\n");
}

TEST_F(GarbageTest, ClonesAndUnfinishedImagesOfNobody) {
  volumes().push_back(sample_volume("x", VolumeKind::clone));
  volumes().push_back(sample_volume("y", VolumeKind::staging));
  volumes().push_back(sample_volume("z", VolumeKind::golden));
  const Garbage garbage = found();
  ASSERT_EQ(garbage.volumes.size(), 1U);
  EXPECT_THAT(garbage.volumes.front().names, ElementsAre("x", "y"));
  EXPECT_EQ(plan_text(garbage), "remove 2 volumes of memory:audit: x, y\n");
}

TEST_F(GarbageTest, WhatIsInUseStays) {
  volumes().push_back(sample_volume("x", VolumeKind::clone));
  volumes().back().active = true;
  volumes().push_back(sample_volume("y", VolumeKind::clone));
  world_.domains->emplace("y", sample_domain("y"));
  world_.configs.configs.push_back(sample_config("y"));
  const Garbage garbage = found();
  EXPECT_TRUE(garbage.empty());
  EXPECT_THAT(garbage.kept, ElementsAre("volume x of memory:audit is in use", "volume y of memory:audit is in use",
                                        "y.cfg is the config of a domain that runs"));
}

TEST_F(GarbageTest, WhatAStoreCanRecover) {
  auto& strays = world_.stores.front().survey.strays;
  strays.push_back({.subject = "device 7", .text = "a device", .recoverable = false, .remedy = "by hand"});
  EXPECT_TRUE(found().empty());
  strays.push_back({.subject = "x.reset", .text = "a volume that a reset left", .recoverable = true, .remedy = {}});
  EXPECT_THAT(found().half_done, ElementsAre(kStore));
  EXPECT_EQ(plan_text(found()), "end in memory:audit what dead processes left half-made\n");
}

TEST_F(GarbageTest, ConfigsOfDomsmithAlone) {
  world_.configs.configs.push_back(sample_config("web-9"));
  ConfigGlance foreign;
  foreign.stem = foreign.name = "zoo";
  world_.configs.configs.push_back(foreign);
  world_.configs.half_made = {"/etc/xen/.web-9.cfg.domsmith-new"};
  EXPECT_THAT(found().configs, ElementsAre("web-9"));
  EXPECT_THAT(found().half_made, ElementsAre("/etc/xen/.web-9.cfg.domsmith-new"));
  world_.running = {"7"};
  EXPECT_THAT(found().half_made, IsEmpty()) << "a living process may be about to put them in place";
}

TEST_F(GarbageTest, OperationsThatTheJournalDoesNotKnow) {
  world_.guests[0].state = GuestState::making;
  world_.guests[0].operation = "7";
  world_.guests[1].state = GuestState::resetting;
  world_.guests[1].operation = "8";
  world_.running = {"8"};
  EXPECT_THAT(found().operations, ElementsAre("7"));
}

TEST_F(GarbageTest, ARegistryThatKnowsNothingMakesNothingGarbage) {
  world_.images.clear();
  world_.guests.clear();
  const auto refused = find_garbage(world_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("everything would be garbage"));
  volumes().resize(1);
  world_.configs.configs.clear();
  EXPECT_TRUE(find_garbage(world_));
}

}  // namespace
}  // namespace domsmith
