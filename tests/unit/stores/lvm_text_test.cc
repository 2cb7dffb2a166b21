// What the LVM store says to LVM and hears from it, with no LVM at hand.
#include <gmock/gmock.h>
#include <unistd.h>

#include "lvm-snapshots/lvm_commands.h"
#include "lvm-snapshots/lvm_errors.h"
#include "lvm-snapshots/lvm_report.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/lvm_use.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LvmPlan, ThinVolumes) {
  const auto store = open_store("lvm:vg0/pool").value();
  const std::vector<std::string> names = {"web-1", "web-2"};
  EXPECT_THAT(store->plan_create("gold", 1ULL << 30),
              ElementsAre("lvcreate -y -an -ky -V 1073741824b -T vg0/pool --addtag domsmith --addtag domsmith.staging "
                          "-n gold.staging"));
  EXPECT_THAT(store->plan_seal("gold"),
              ElementsAre("lvrename -y vg0 gold.staging gold",
                          "lvchange -y -pr --deltag domsmith.staging --addtag domsmith.golden vg0/gold"));
  EXPECT_THAT(
      store->plan_clone("gold", names),
      ElementsAre("lvcreate -y -s -ky -prw -an --addtag domsmith --addtag domsmith.clone -n web-1.fresh vg0/gold",
                  "lvcreate -y -s -ky -prw -an --addtag domsmith --addtag domsmith.clone -n web-2.fresh vg0/gold"));
  EXPECT_THAT(
      store->plan_reset("gold", std::span(names).first(1)),
      ElementsAre("lvcreate -y -s -ky -prw -an --addtag domsmith --addtag domsmith.clone -n web-1.reset vg0/gold",
                  "lvremove -y vg0/web-1", "lvrename -y vg0 web-1.reset web-1.fresh"));
  EXPECT_THAT(store->plan_remove(names), ElementsAre("lvremove -y vg0/web-1 vg0/web-2"));
}

TEST(LvmPlan, ManyThinVolumesAreOneTransaction) {
  const auto store = open_store("lvm:vg0/pool").value();
  const std::vector<std::string> names = {"web-1", "web-2", "web-3", "web-4"};
  const std::string restore = "vgcfgrestore --nolocking --force --yes -f FILE vg0";
  const std::string step = "dmsetup message vg0-pool-tpool 0 set_transaction_id NUMBER NEXT";
  EXPECT_THAT(store->plan_clone("gold", names),
              ElementsAre("vgcfgbackup --nolocking -f FILE vg0",
                          "dmsetup message vg0-pool-tpool 0 create_snap NEW ORIGIN, 5 times", restore,
                          "dmsetup message vg0-pool-tpool 0 delete SPARE", step, restore));
  EXPECT_THAT(store->plan_reset("gold", names),
              ElementsAre("vgcfgbackup --nolocking -f FILE vg0",
                          "dmsetup message vg0-pool-tpool 0 create_snap NEW ORIGIN, 4 times", restore,
                          "dmsetup message vg0-pool-tpool 0 delete OLD, 3 times", restore,
                          "dmsetup message vg0-pool-tpool 0 delete LAST", step, restore));
  EXPECT_THAT(store->plan_remove(names), ElementsAre("vgcfgbackup --nolocking -f FILE vg0", restore,
                                                     "dmsetup message vg0-pool-tpool 0 delete OLD, 3 times", restore,
                                                     "dmsetup message vg0-pool-tpool 0 delete LAST", step, restore));
  EXPECT_EQ(open_store("lvm:vg0").value()->plan_remove(names).size(), 1U);
}

// What dmsetup(8) is told has to be what it knows.
TEST(LvmPlan, DashesAreDoubledInTheKernelsNames) {
  const auto store = open_store("lvm:vg-0/the-pool").value();
  const std::vector<std::string> names = {"web-1", "web-2", "web-3", "web-4"};
  EXPECT_EQ(store->plan_clone("gold", names).at(1),
            "dmsetup message vg--0-the--pool-tpool 0 create_snap NEW ORIGIN, 5 times");
  EXPECT_EQ(store->plan_reset("gold", names).at(3), "dmsetup message vg--0-the--pool-tpool 0 delete OLD, 3 times");
  EXPECT_EQ(store->plan_remove(names).at(2), "dmsetup message vg--0-the--pool-tpool 0 delete OLD, 3 times");
}

TEST(LvmReport, AFreshCloneHasTheNameThatItIsToGet) {
  const auto group = parse_lvm_report(
      R"({"report": [ {"lv": [
        {"lv_name": "web-1", "lv_tags": ""},
        {"lv_name": "web-1.fresh", "lv_tags": "domsmith,domsmith.clone", "pool_lv": "pool"},
        {"lv_name": "web-2", "lv_tags": "domsmith,domsmith.clone", "pool_lv": "pool"},
        {"lv_name": "web-3.fresh", "lv_tags": "", "pool_lv": "pool"} ]} ]})");
  ASSERT_TRUE(ok(group));
  const LvmVolume* fresh = group->find("web-1");  // ours, whatever a person has called like that
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(fresh->lv, "web-1.fresh");
  EXPECT_TRUE(fresh->fresh);
  EXPECT_EQ(fresh->kind, VolumeKind::clone);
  EXPECT_EQ(group->find("web-2")->lv, "web-2");
  EXPECT_FALSE(group->find("web-2")->fresh);
  EXPECT_EQ(group->find("web-3"), nullptr);  // somebody else's
}

TEST(LvmReport, AGroupThatTakesNoBatchSaysWhy) {
  const auto group = parse_lvm_report(
      R"({"report": [ {"vg": [ {"vg_name": "vg0", "vg_shared": "shared", "vg_partial": "", "vg_permissions": "writeable"} ]} ]})");
  ASSERT_TRUE(ok(group));
  EXPECT_EQ(group->peculiarity, "shared");
  EXPECT_EQ(
      parse_lvm_report(R"({"report": [ {"vg": [ {"vg_name": "vg0", "vg_permissions": "read-only"} ]} ]})")->peculiarity,
      "read-only");
}

TEST(LvmPlan, ClassicVolumes) {
  const auto store = open_store("lvm:vg0").value();
  const std::vector<std::string> names = {"web-1"};
  EXPECT_THAT(
      store->plan_create("gold", 4096),
      ElementsAre("lvcreate -y -an -ky -Wn -Zn -L 4096b --addtag domsmith --addtag domsmith.staging -n gold.new vg0",
                  "lvchange -y -ay -K vg0/gold.new", "blkdiscard --zeroout /dev/vg0/gold.new",
                  "lvchange -y -an vg0/gold.new", "lvrename -y vg0 gold.new gold.staging"));
  EXPECT_THAT(
      store->plan_clone("gold", names),
      ElementsAre("lvcreate -y -s -ky -prw -l 100%ORIGIN --addtag domsmith --addtag domsmith.clone -n web-1 vg0/gold"));
}

TEST(LvmCommands, ManyNamesAreSeveralCommands) {
  const LvmCommands commands{"vg0", "pool"};
  std::vector<std::string> names(120, "web");
  const auto all = commands.remove(names);
  ASSERT_EQ(all.size(), 3U);
  for (const LvmCommand& command : all) {
    EXPECT_LT(command.size(), 63U);  // MAX_ARGS of liblvm2cmd, and -An
  }
  EXPECT_EQ(all.back().size(), 22U);
  EXPECT_EQ(command_text(without_backup({"lvremove", "-y", "vg0/x"})), "lvremove -An -y vg0/x");
}

constexpr std::string_view report = R"({ "report": [ { "lv": [
  {"vg_name":"vg0", "vg_size":"21403533312", "vg_free":"4282384384", "vg_mda_free":"34072064", "lv_name":"pool",
   "lv_size":"16852713472", "lv_tags":"", "lv_active":"active", "lv_device_open":"open", "lv_layout":"thin,pool",
   "pool_lv":"", "origin":"", "data_percent":"1.19", "metadata_percent":"10.13"},
  {"vg_name":"vg0", "lv_name":"gold", "lv_size":"1073741824", "lv_tags":"domsmith,domsmith.golden,mine", "lv_active":"",
   "lv_device_open":"unknown", "lv_layout":"thin,sparse", "pool_lv":"pool", "origin":"", "data_percent":"",
   "metadata_percent":""},
  {"vg_name":"vg0", "lv_name":"web-1.reset", "lv_tags":"domsmith,domsmith.clone", "pool_lv":"pool", "origin":"gold"},
  {"vg_name":"vg0", "lv_name":"old", "lv_size":"12582912", "origin_size":"8388608", "lv_role":"public,snapshot,thicksnapshot",
   "lv_tags":"domsmith,domsmith.clone", "pool_lv":"", "origin":"thick"},
  {"vg_name":"vg0", "lv_name":"theirs", "lv_tags":"domsmith.clone,notdomsmith", "pool_lv":"pool", "origin":"gold"}
] } ] })";

TEST(LvmReport, IsReadIntoValues) {
  const auto group = parse_lvm_report(report);
  ASSERT_TRUE(ok(group));
  EXPECT_EQ(group->name, "vg0");
  EXPECT_EQ(group->peculiarity, "");
  ASSERT_EQ(group->volumes.size(), 5U);
  const LvmVolume* pool = group->find("pool");
  ASSERT_NE(pool, nullptr);
  EXPECT_TRUE(pool->thin_pool);
  EXPECT_TRUE(pool->active);
  EXPECT_EQ(pool->data_percent, 1.19);
  EXPECT_EQ(pool->metadata_percent, 10.13);
  const LvmVolume* gold = group->find("gold");
  ASSERT_NE(gold, nullptr);
  EXPECT_EQ(gold->kind, VolumeKind::golden);
  EXPECT_EQ(gold->size, 1ULL << 30);
  EXPECT_FALSE(gold->active);
  EXPECT_FALSE(gold->data_percent);
  EXPECT_EQ(group->find("nothing"), nullptr);
}

TEST(LvmReport, AClassicSnapshotIsAsLargeAsItsOrigin) {
  const auto group = parse_lvm_report(report);
  ASSERT_TRUE(ok(group));
  EXPECT_EQ(group->find("old")->size, 8388608U);
  EXPECT_EQ(group->find("old")->allocated, 12582912U);
}

TEST(LvmReport, OnlyTaggedVolumesWithAProperNameAreOurs) {
  const auto group = parse_lvm_report(report);
  ASSERT_TRUE(ok(group));
  EXPECT_TRUE(group->find("web-1.reset")->ours);
  EXPECT_FALSE(group->find("web-1.reset")->kind);
  EXPECT_FALSE(group->find("theirs")->ours);
  EXPECT_FALSE(group->find("theirs")->kind);
}

TEST(LvmReport, DamagedReportsAreRefused) {
  for (const std::string_view bad : {"", "{", "[]", "{}", R"({"report": 1})", "  WARNING: hello"}) {
    EXPECT_FALSE(parse_lvm_report(bad)) << bad;
  }
  EXPECT_TRUE(ok(parse_lvm_report(R"({"report": [ {"lv": [ {"lv_name": 7, "lv_size": "x"} ]} ]})")));
}

struct Said {
  const char* line;
  ErrorCode code;
};

TEST(LvmErrors, LvmsSentencesGetACode) {
  for (const Said& said : std::initializer_list<Said>{
           {"Volume group \"vg0\" has insufficient free space (3 extents): 4 required.", ErrorCode::no_space},
           {"Insufficient suitable allocatable extents for logical volume x: 3 more required", ErrorCode::no_space},
           {"VG vg0 metadata on /dev/vdb (2 bytes) too large for circular buffer", ErrorCode::no_space},
           {"Cannot create new thin volume, free space in thin pool vg0/pool reached threshold.", ErrorCode::no_space},
           {"Logical volume vg0/web-1 in use.", ErrorCode::busy},
           {"Logical volume vg0/web-1 is used by another device.", ErrorCode::busy},
           {"Logical Volume \"x\" already exists in volume group \"vg0\"", ErrorCode::exists},
           {"Names starting \"snapshot\" are reserved. Please choose a different LV name.", ErrorCode::bad_input},
           {"thin-pool: Required device-mapper target(s) not detected in your kernel.", ErrorCode::unsupported},
           {"Is device-mapper driver missing from kernel?", ErrorCode::unsupported},
           {"Cannot send messages to thin pool p with read only metadata which needs check first.", ErrorCode::failed},
           {"Something nobody has seen", ErrorCode::failed}}) {
    const Error error = lvm_error("cannot do it", LvmOutcome{false, "", {said.line}, {}});
    EXPECT_EQ(error.code, said.code) << said.line;
    EXPECT_EQ(error.what, "cannot do it");
    EXPECT_EQ(error.causes, std::vector<std::string>{said.line});
    EXPECT_EQ(error.remedy.empty(), std::string_view(said.line).starts_with("Something")) << said.line;
  }
}

TEST(LvmErrors, RefusalsSayWhatToDo) {
  const auto no_pool = lvm_refusal::no_pool("vg0", "pool").error();
  EXPECT_EQ(no_pool.what, "VG vg0 has no thin pool 'pool'");
  EXPECT_THAT(no_pool.remedy, HasSubstr("lvcreate --type thin-pool -l 90%FREE -n pool vg0"));
  EXPECT_THAT(no_pool.remedy, HasSubstr("lvm:vg0 "));
  EXPECT_THAT(lvm_refusal::no_group("vg9").error().remedy, HasSubstr("vgcreate --metadatasize 64m vg9"));
  EXPECT_THAT(lvm_refusal::pool_full("vg0", "pool", true, 97.24).error().what, HasSubstr("97.2 % of its metadata"));
}

TEST(LvmStore, RootOnly) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may use LVM";
  }
  const auto listed = open_store("lvm:vg0/pool").value()->list();
  ASSERT_TRUE(fails(listed, ErrorCode::denied));
  EXPECT_THAT(listed.error().what, HasSubstr("only root can use lvm:vg0/pool"));
}

TEST(LvmUse, HoldersAreSeenAndEndWithTheirLock) {
  const auto folder = TemporaryDirectory::make().value();
  const LvmUse use(folder.path(), "vg0");
  {
    const auto gate = use.gate();
    ASSERT_TRUE(ok(gate));
    const auto reader = use.hold("web-1", Access::read_only);
    ASSERT_TRUE(ok(reader));
    EXPECT_TRUE(ok(use.hold("web-1", Access::read_only)));
    EXPECT_TRUE(fails(use.hold("web-1", Access::read_write), ErrorCode::busy));
    EXPECT_TRUE(use.held("web-1").value());
    EXPECT_FALSE(use.held("web-2").value());
    ASSERT_TRUE(ok(use.set_opened("web-1", true)));
    EXPECT_TRUE(use.left_open().value().empty());
  }
  EXPECT_FALSE(use.held("web-1").value());
  EXPECT_EQ(use.left_open().value(), std::vector<std::string>{"web-1"});
  use.forget("web-1");
  EXPECT_TRUE(use.left_open().value().empty());
}

}  // namespace domsmith::testing
