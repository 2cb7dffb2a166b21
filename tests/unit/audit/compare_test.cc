// Each difference by itself: what is said of it, and what --fix would do.
#include "provision/audit/compare.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/audit/sample_world.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "guest web-1: SENTENCE [repair]"
std::vector<std::string> told(const World& world) {
  std::vector<std::string> lines;
  for (const Difference& each : compare(world)) {
    EXPECT_NE(each.repair == Repair::none, each.remedy.empty())
        << each.text << ": either it is repaired, or a person can";
    lines.push_back(fmt::format("{}: {}{}", each.subject, each.text,
                                each.repair == Repair::none ? "" : fmt::format(" [{}]", repair_text(each.repair))));
  }
  return lines;
}

class CompareTest : public testing::Test {
 protected:
  std::vector<VolumeInfo>& volumes() { return world_.stores.front().survey.volumes; }
  std::vector<ConfigGlance>& configs() { return world_.configs.configs; }
  World world_ = sample_world();
};

TEST_F(CompareTest, AllIsWell) { EXPECT_THAT(told(world_), IsEmpty()); }

TEST_F(CompareTest, AVolumeThatIsGone) {
  volumes().pop_back();
  EXPECT_THAT(told(world_), ElementsAre("guest web-2: its volume 'web-2' is not in memory:audit"));
}

TEST_F(CompareTest, AnImageWhoseVolumeIsGone) {
  volumes().erase(volumes().begin());
  EXPECT_THAT(told(world_), ElementsAre("image gold: its volume 'gold' is not in memory:audit"));
}

TEST_F(CompareTest, VolumesOfAnotherKindThanTheRegistrySays) {
  volumes()[0].kind = VolumeKind::staging;
  volumes()[1].kind = VolumeKind::staging;
  volumes()[2].origin = "silver";
  EXPECT_THAT(told(world_),
              ElementsAre("image gold: its volume 'gold' in memory:audit is not a golden one",
                          "guest web-1: its volume 'web-1' in memory:audit is not a clone",
                          "guest web-2: its volume was made from 'silver', and the registry says 'gold'"));
}

TEST_F(CompareTest, VolumesThatNobodyHas) {
  volumes().push_back(sample_volume("x", VolumeKind::clone));
  volumes().push_back(sample_volume("y", VolumeKind::staging));
  volumes().push_back(sample_volume("z", VolumeKind::golden));  // another registry's image
  EXPECT_THAT(told(world_),
              ElementsAre("volume x: a clone in memory:audit that no guest and no image has",
                          "volume y: an unfinished image in memory:audit that no guest and no image has"));
}

TEST_F(CompareTest, WhatAStoreHasBesideItsVolumes) {
  world_.stores.front().survey.strays = {
      {.subject = "web-1.reset", .text = "a volume that a reset left", .recoverable = true, .remedy = {}},
      {.subject = "device 7", .text = "a device", .recoverable = false, .remedy = "delete it"}};
  EXPECT_THAT(told(world_), ElementsAre("web-1.reset: a volume that a reset left, in memory:audit [finishes or undoes "
                                        "it, as domsmith recover does]",
                                        "device 7: a device, in memory:audit"));
}

TEST_F(CompareTest, AStoreThatCannotBeLookedAtIsToldOnce) {
  world_.stores.front() = {.name = kStore, .survey = {}, .unreadable = "there is no volume group"};
  EXPECT_THAT(told(world_), ElementsAre("memory:audit: there is no volume group"));
}

TEST_F(CompareTest, RowsInTheHandsOfOperations) {
  for (GuestRecord& guest : world_.guests) {
    guest.state = GuestState::making;
  }
  volumes().resize(1);
  configs().clear();
  world_.guests[0].operation = world_.guests[1].operation = "7";
  world_.running = {"7"};
  EXPECT_THAT(told(world_), IsEmpty()) << "they are being made";
  world_.running.clear();
  world_.cut_off = {"7"};
  EXPECT_THAT(told(world_),
              ElementsAre("operation 7: its process died in the middle [finishes or undoes it, as domsmith "
                          "recover does]"));
  world_.cut_off.clear();
  EXPECT_THAT(told(world_), ElementsAre("guest web-1: it is making for operation 7, which the journal does not know",
                                        "guest web-2: it is making for operation 7, which the journal does not know"));
}

TEST_F(CompareTest, ConfigsThatAreMissingForeignOrAnothers) {
  configs()[0].ours = false;
  configs()[1].uuid = "another";
  world_.guests.push_back(sample_guest("web-3"));
  volumes().push_back(sample_volume("web-3", VolumeKind::clone));
  EXPECT_THAT(told(world_),
              ElementsAre("guest web-1: /etc/xen/web-1.cfg is not domsmith's any more",
                          "guest web-2: /etc/xen/web-2.cfg is about 'web-2' with UUID another, and the registry says "
                          "uuid-of-web-2",
                          "guest web-3: /etc/xen/web-3.cfg is not there [writes its config anew]"));
}

TEST_F(CompareTest, WhatAPersonChangedInAConfig) {
  configs()[0].targets = {"/dev/sda"};
  configs()[0].kernel = "/boot/vmlinuz";
  configs()[1].linked = true;
  EXPECT_THAT(
      told(world_),
      ElementsAre("guest web-1: /etc/xen/web-1.cfg does not name its disk /memory/audit/web-1",
                  "guest web-1: /etc/xen/web-1.cfg boots '/boot/vmlinuz', and not its image's /boot/" +
                      boot_name("kernel", 'a'),
                  "guest web-2: it starts with the host, and the registry says that it does not [enters that in "
                  "the registry]"));
}

TEST_F(CompareTest, ConfigsOfNoGuestAndNamesThatTwoClaim) {
  configs().push_back(sample_config("web-9"));
  ConfigGlance foreign;
  foreign.stem = "zoo";
  foreign.name = "web-1";
  configs().push_back(foreign);
  EXPECT_THAT(told(world_), ElementsAre("/etc/xen/web-9.cfg: a config that domsmith wrote, of no guest",
                                        "guest web-1: /etc/xen/zoo.cfg claims its name too"));
}

TEST_F(CompareTest, BootFilesThatAreGone) {
  world_.boot_files.erase(boot_name("initrd", 'b'));
  EXPECT_THAT(told(world_), ElementsAre("image gold: its boot file /boot/" + boot_name("initrd", 'b') +
                                        " is not there: none of its guests can start [takes them out of the image "
                                        "again]"));
}

TEST_F(CompareTest, DomainsAndTheirVolumes) {
  volumes()[1].active = true;
  world_.domains->emplace("web-2", sample_domain("web-2"));
  EXPECT_THAT(told(world_),
              ElementsAre("guest web-1: it does not run, and its volume /memory/audit/web-1 is in use [puts its volume "
                          "away]",
                          "guest web-2: it runs, and its volume /memory/audit/web-2 is not marked as in use: a reset "
                          "could take it away [marks its volume as in use]"));
  volumes()[1].active = false;
  volumes()[2].active = true;
  EXPECT_THAT(told(world_), IsEmpty());
  world_.domains->at("web-2").uuid = "another";
  EXPECT_THAT(
      told(world_),
      ElementsAre("guest web-2: a domain of its name runs with UUID another, and the registry says uuid-of-web-2"));
  world_.domains.reset();
  EXPECT_THAT(told(world_), IsEmpty()) << "nobody can tell what runs";
}

}  // namespace
}  // namespace domsmith
