// audit, --fix and gc on a real folder store: what is broken is found, repaired where that loses nothing, and nothing
// else is touched.
#include "provision/audit/repair.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/error_text.h"
#include "provision/domain/config_dir.h"
#include "tests/faults/scene.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RepairTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(scene_.build());
    ASSERT_TRUE(scene_.clone("web", 3));
    ASSERT_THAT(audit(), IsEmpty());
    shape_ = scene_.shape();
  }
  std::vector<std::string> audit() { return value(scene_.audit()); }
  std::vector<std::string> fix() { return value(scene_.fix()); }
  static std::vector<std::string> value(Result<std::vector<std::string>> result) {
    EXPECT_TRUE(result) << error_text(result.error());
    return result.value_or(std::vector<std::string>{"failed"});
  }
  [[nodiscard]] fs::path config(const std::string& name) const { return config_path(scene_.path() / "xen", name); }
  [[nodiscard]] std::unique_ptr<VolumeStore> store() const { return *open_store(scene_.store_spec()); }
  void start(const std::string& name) {
    const auto spec = read_config(scene_.path() / "xen", name);
    ASSERT_TRUE(spec) << error_text(spec.error());
    ASSERT_TRUE(scene_.toolstack().create(*spec));
  }
  Scene scene_;
  std::string shape_;
};

TEST_F(RepairTest, ConfigsAreWrittenAnewAsTheyWere) {
  const std::string before = *read_file(config("web-2"));
  fs::remove(config("web-2"));
  fs::remove(config("web-3"));
  EXPECT_THAT(audit(), ElementsAre(HasSubstr("web-2.cfg is not there"), HasSubstr("web-3.cfg is not there")));
  EXPECT_THAT(fix(), IsEmpty());
  EXPECT_EQ(*read_file(config("web-2")), before);
  EXPECT_EQ(scene_.shape(), shape_);
}

TEST_F(RepairTest, TheRegistryTakesOverAutostart) {
  ASSERT_TRUE(set_autostart(scene_.path() / "xen", "web-1", true));
  EXPECT_THAT(audit(), ElementsAre(HasSubstr("it starts with the host")));
  EXPECT_THAT(fix(), IsEmpty());
  EXPECT_TRUE(scene_.guests().front().autostart);
}

TEST_F(RepairTest, VolumesAreMarkedAsWhatRunsSays) {
  start("web-1");
  ASSERT_TRUE(store()->activate("web-2"));
  EXPECT_THAT(audit(), ElementsAre(HasSubstr("web-1: it runs, and its volume"),
                                   HasSubstr("web-2: it does not run, and its volume")));
  EXPECT_THAT(fix(), IsEmpty());
  EXPECT_TRUE(store()->find("web-1")->active);
  EXPECT_FALSE(store()->find("web-2")->active);
}

TEST_F(RepairTest, WhatAStoreHasBesideItsVolumesIsTidied) {
  ASSERT_TRUE(store()->activate("web-3"));
  ASSERT_TRUE(fs::copy_file(scene_.path() / "store/active/web-3", scene_.path() / "store/active/nobody"));
  ASSERT_TRUE(store()->deactivate("web-3"));
  fs::create_directories(scene_.path() / "store" / "work" / "dead");  // last: every change sweeps
  EXPECT_THAT(audit(), ElementsAre(HasSubstr("nobody: the mark of an activated volume that is not there"),
                                   HasSubstr("half-made files of a process that died")));
  EXPECT_THAT(fix(), IsEmpty());
  EXPECT_EQ(scene_.shape(), shape_);
}

TEST_F(RepairTest, WhatCannotBeRepairedStays) {
  ASSERT_TRUE(fs::remove(scene_.path() / "store/clones/gold/web-2.img"));
  EXPECT_THAT(fix(), ElementsAre(HasSubstr("guest web-2: its volume 'web-2' is not in dir:")));
  ASSERT_TRUE(scene_.remove({"web-2"}));
  EXPECT_THAT(audit(), IsEmpty());
}

TEST_F(RepairTest, GarbageIsTakenAwayAndNothingElse) {
  ASSERT_TRUE(store()->clone("gold", std::vector<std::string>{"stray"}));
  std::ofstream(config("zoo")) << "name = \"zoo\"\n";  // a person's
  const std::string with_zoo = scene_.shape();
  std::ofstream(config("old")) << "# Written by domsmith.\nname = \"old\"\n";
  EXPECT_THAT(audit(), ElementsAre(HasSubstr("volume stray: a clone"), HasSubstr("old.cfg: a config that domsmith")));
  const auto collected = scene_.collect_garbage();
  ASSERT_TRUE(collected) << error_text(collected.error());
  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_FALSE(store()->find("stray"));
  EXPECT_TRUE(fs::exists(config("zoo")));
  EXPECT_FALSE(fs::exists(config("old")));
  scene_.expect_whole_clones();
}

// Somebody removed a journal by hand: its rows are ended as a recovery would have.
TEST_F(RepairTest, OperationsWithoutAJournalAreEnded) {
  for (const char* point : {"clone.identities.after", "remove.commit.after", "reset.commit.after"}) {
    const std::string verb = point;
    const int status = in_child({{"DOMSMITH_FAIL", point}}, [&]() -> Result<void> {
      return verb.starts_with("clone")    ? scene_.clone("db", 2)
             : verb.starts_with("remove") ? scene_.remove({"web-3"})
                                          : scene_.reset({"web-2"});
    });
    ASSERT_NE(status, 0);
    fs::remove_all(scene_.path() / "journal");
    EXPECT_THAT(audit().front(), HasSubstr("which the journal does not know")) << point;
    const auto collected = scene_.collect_garbage();
    ASSERT_TRUE(collected) << point << error_text(collected.error());
    EXPECT_THAT(audit(), IsEmpty()) << point;
    scene_.expect_whole_clones();
  }
  EXPECT_EQ(scene_.guests().size(), 2U);  // web-1, web-2
}

}  // namespace
}  // namespace domsmith
