// What becomes of guests: ephemeral ones, full copies, images made of them, other images and sizes beneath them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "base/error_text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/domain/config_dir.h"
#include "scene.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

class LifeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(scene_.build());
    ASSERT_TRUE(scene_.clone("web", 2));
  }
  [[nodiscard]] std::unique_ptr<VolumeStore> store() const { return *open_store(scene_.store_spec()); }
  void write(const std::string& volume, const std::string& path, const std::string& text) const {
    const auto target = store()->open(volume, Access::read_write);
    ASSERT_TRUE(target) << error_text(target.error());
    auto fs = extfs::FileSystem::open(**target, Access::read_write);
    ASSERT_TRUE(fs->write_file(path, text));
    ASSERT_TRUE(fs->close());
  }
  [[nodiscard]] std::string read(const std::string& volume, const std::string& path) const {
    const auto target = store()->open(volume, Access::read_only);
    auto fs = extfs::FileSystem::open(**target, Access::read_only);
    return fs->read_file(path, 1U << 20).value_or("absent");
  }
  [[nodiscard]] std::string all_bytes(const std::string& volume) const {
    const auto target = store()->open(volume, Access::read_only);
    std::string bytes((*target)->size(), '\0');
    EXPECT_TRUE((*target)->read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
  [[nodiscard]] GuestRecord guest(const std::string& name) const {
    for (const GuestRecord& each : scene_.guests()) {
      if (each.name == name) {
        return each;
      }
    }
    ADD_FAILURE() << name;
    return {};
  }
  void expect_done(const Result<void>& result) const {
    ASSERT_TRUE(result) << error_text(result.error());
    scene_.expect_whole_clones();
    scene_.expect_clean();
  }
  Scene scene_;
};

TEST_F(LifeTest, AFullCopySharesNothingAndIsResetFromItsImage) {
  CloneRequest full;
  full.full = true;
  expect_done(scene_.clone("copy", 1, full));
  EXPECT_TRUE(guest("copy").full);
  write("copy", "/root/written", "x");
  expect_done(scene_.reset({"copy"}));
  EXPECT_EQ(read("copy", "/root/written"), "absent");
}

// Where its process dies, what has a clone's name and kind has its identity.
TEST_F(LifeTest, AFullCopyIsNoCloneBeforeItHasItsIdentity) {
  CloneRequest full;
  full.full = true;
  expect_done(scene_.clone("copy", 1, full));
  const int status = in_child({{"DOMSMITH_FAIL", "full_copy.filled:1"}}, [&] { return scene_.reset({"copy"}); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(store()->find("copy")->kind, VolumeKind::staging);
  EXPECT_EQ(read("copy", "/etc/hostname"), "copy\n");
  EXPECT_EQ(read("copy", "/etc/machine-id"), guest("copy").identity.machine_id + "\n");
  ASSERT_TRUE(scene_.recover());
  EXPECT_EQ(store()->find("copy")->kind, VolumeKind::clone);
}

TEST_F(LifeTest, AnEphemeralGuestForgetsAtEachStartAndEndsAtAReboot) {
  CloneRequest ephemeral;
  ephemeral.ephemeral = true;
  expect_done(scene_.clone("tmp", 1, ephemeral));
  const auto spec = read_config(scene_.path() / "xen", "tmp");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->on_reboot, DomainAction::destroy);
  write("tmp", "/root/written", "x");
  write("web-1", "/root/written", "x");
  ASSERT_TRUE(scene_.start({"tmp", "web-1"}));
  ASSERT_TRUE(scene_.stop({"tmp", "web-1"}));
  EXPECT_EQ(read("tmp", "/root/written"), "absent");
  EXPECT_EQ(read("web-1", "/root/written"), "x");
  EXPECT_EQ(read("tmp", "/etc/hostname"), "tmp\n");
  scene_.expect_clean();
}

TEST_F(LifeTest, AnEphemeralGuestIsNotStartedByTheHost) {
  CloneRequest both;
  both.ephemeral = both.autostart = true;
  const auto refused = scene_.clone("tmp", 1, both);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
}

TEST_F(LifeTest, APromotedGuestIsAnImageWithoutAnythingOfItsOwn) {
  const Identity identity = guest("web-1").identity;
  write("web-1", "/root/installed", "software");
  expect_done(scene_.promote("web-1", "silver"));
  EXPECT_EQ(store()->find("silver")->kind, VolumeKind::golden);
  EXPECT_EQ(read("silver", "/root/installed"), "software");
  EXPECT_EQ(read("silver", "/etc/machine-id"), "");
  EXPECT_EQ(read("silver", "/etc/hostname"), "silver\n");
  const std::string bytes = all_bytes("silver");
  EXPECT_EQ(bytes.find(identity.machine_id), std::string::npos) << "not even in free blocks";
  EXPECT_EQ(bytes.find(identity.macs.front()), std::string::npos);
  EXPECT_NE(all_bytes("web-1").find(identity.machine_id), std::string::npos) << "the guest stays as it is";
}

TEST_F(LifeTest, AGuestThatRunsIsNotPromoted) {
  const auto held = store()->open("web-2", Access::read_write);
  const auto refused = scene_.promote("web-2", "silver");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::busy) << error_text(refused.error());
  EXPECT_FALSE(store()->find("silver"));
}

TEST_F(LifeTest, ARebaseKeepsTheIdentityAndRefusesToLoseFiles) {
  write("web-1", "/root/installed", "software");
  ASSERT_TRUE(scene_.promote("web-1", "silver"));
  write("web-2", "/root/mine", "text");
  const std::string before = scene_.shape();
  const auto refused = scene_.rebase({"web-2"}, "silver", false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(error_text(refused.error()),
              HasSubstr("guest 'web-2' has changed 1 file, which would be lost: /root/mine"));
  EXPECT_EQ(scene_.shape(), before);
  const GuestRecord was = guest("web-2");
  expect_done(scene_.rebase({"web-2"}, "silver", true));
  const GuestRecord is = guest("web-2");
  EXPECT_EQ(is.identity, was.identity);
  EXPECT_EQ(is.uuid, was.uuid);
  EXPECT_EQ(is.image, "silver");
  EXPECT_EQ(read("web-2", "/root/installed"), "software");
  EXPECT_EQ(read("web-2", "/root/mine"), "absent");
}

TEST_F(LifeTest, ARebaseOfWhatNobodyTouchedIsNotRefused) {
  ASSERT_TRUE(scene_.promote("web-1", "silver"));
  expect_done(scene_.rebase({"web-*"}, "silver", false));
  EXPECT_FALSE(scene_.rebase({"web-*"}, "bronze", false));
}

TEST_F(LifeTest, AGuestGrowsAndShrinksWithItsFileSystem) {
  write("web-1", "/root/mine", "text");
  expect_done(scene_.resize("web-1", 32U << 20));
  EXPECT_EQ(store()->find("web-1")->size, 32U << 20);
  expect_done(scene_.resize("web-1", 12U << 20));
  EXPECT_EQ(store()->find("web-1")->size, 12U << 20);
  EXPECT_EQ(read("web-1", "/root/mine"), "text");
  const auto refused = scene_.resize("web-1", 1U << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::no_space) << error_text(refused.error());
  expect_done(scene_.reset({"web-1"}));
  EXPECT_EQ(store()->find("web-1")->size, 16U << 20);
}

}  // namespace
}  // namespace domsmith
