// What a user may run into: each a clear error, and nothing left behind.
#include <gtest/gtest.h>

#include <fstream>

#include "base/error_text.h"
#include "scene.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

class BadDay : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(scene_.build());
    ASSERT_TRUE(scene_.clone("web", 2));
    shape_ = scene_.shape();
  }
  void expect_refused(const Result<void>& result, ErrorCode code) const {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << error_text(result.error());
    EXPECT_FALSE(result.error().remedy.empty()) << error_text(result.error());
    EXPECT_EQ(scene_.shape(), shape_);
    EXPECT_EQ(*scene_.recover(), 0U);
  }
  Scene scene_;
  std::string shape_;
};

TEST_F(BadDay, a_taken_name) { expect_refused(scene_.clone("web", 2), ErrorCode::exists); }

TEST_F(BadDay, one_taken_name_of_several) { expect_refused(scene_.clone("web", 5), ErrorCode::exists); }

TEST_F(BadDay, an_image_that_is_there_already) { expect_refused(scene_.build(), ErrorCode::exists); }

TEST_F(BadDay, an_image_in_use) { expect_refused(scene_.remove_image(), ErrorCode::failed); }

TEST_F(BadDay, an_unknown_guest) { expect_refused(scene_.remove({"web-1", "wbe-2"}), ErrorCode::not_found); }

TEST_F(BadDay, a_bad_name) { expect_refused(scene_.clone("../x", 1), ErrorCode::bad_input); }

TEST_F(BadDay, a_config_that_a_person_wrote_takes_the_name) {
  std::ofstream(scene_.path() / "xen" / "db.cfg") << "name = \"db\"\n";
  shape_ = scene_.shape();
  expect_refused(scene_.clone("db", 1), ErrorCode::exists);
}

TEST_F(BadDay, a_volume_of_unknown_origin_is_neither_used_nor_removed) {
  const auto store = open_store(scene_.store_spec());
  ASSERT_TRUE((*store)->clone("gold", std::vector<std::string>{"stray"}));
  shape_ = scene_.shape();
  expect_refused(scene_.clone("stray", 1), ErrorCode::exists);
}

TEST_F(BadDay, no_room_for_configs) {
  fs::rename(scene_.path() / "xen", scene_.path() / "xen-away");
  std::ofstream(scene_.path() / "xen") << "a file where the folder should be";
  const auto result = scene_.clone("db", 3);
  fs::remove(scene_.path() / "xen");
  fs::rename(scene_.path() / "xen-away", scene_.path() / "xen");
  ASSERT_FALSE(result);
  EXPECT_EQ(scene_.shape(), shape_);
}

TEST_F(BadDay, a_reset_brings_back_the_golden_bytes_and_the_same_identity) {
  const std::vector<GuestRecord> before = scene_.guests();
  const auto store = open_store(scene_.store_spec());
  {
    const auto target = (*store)->open("web-1", Access::read_write);
    ASSERT_TRUE(target);
    ASSERT_TRUE((*target)->write(1024, std::vector<std::byte>(4096, std::byte{0xff})));  // the superblock
  }
  ASSERT_TRUE(scene_.reset({"web-1"}));
  EXPECT_EQ(scene_.guests(), before);
  scene_.expect_whole_clones();
}

TEST_F(BadDay, a_name_can_be_used_again_after_its_removal) {
  ASSERT_TRUE(scene_.remove({"web-1", "web-2"}));
  ASSERT_TRUE(scene_.clone("web", 2));
  EXPECT_EQ(scene_.shape(), shape_);
}

TEST_F(BadDay, a_registry_that_knows_nothing_learns_the_image_from_its_store) {
  // The image of this scene does not describe itself (it was not built from a recipe): that is said.
  fs::remove(scene_.path() / "registry.sqlite");
  fs::remove(scene_.path() / "registry.sqlite-wal");
  fs::remove(scene_.path() / "registry.sqlite-shm");
  const auto result = scene_.clone("db", 1);
  ASSERT_FALSE(result);
  EXPECT_NE(error_text(result.error()).find("image.json"), std::string::npos);
}

}  // namespace
}  // namespace domsmith
