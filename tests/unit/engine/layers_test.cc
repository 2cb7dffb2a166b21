#include "imagebuild/engine/layers.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace domsmith::engine {
namespace {

const std::string key_a(64, 'a');
const std::string key_b(64, 'b');

class LayersTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    ASSERT_TRUE(make_directories(cache().folder()));
  }
  [[nodiscard]] LayerCache cache() const { return LayerCache(folder_->path() / "layers"); }
  std::filesystem::path made(const std::string& name) {
    const auto path = folder_->path() / name;
    EXPECT_TRUE(write_file_atomic(path / "tree" / "file", "x"));
    return path;
  }
  std::optional<TemporaryDirectory> folder_;
};

TEST_F(LayersTest, WhatIsPublishedIsFound) {
  EXPECT_FALSE(cache().use(key_a));
  ASSERT_TRUE(cache().publish(made("new"), key_a, "the base"));
  EXPECT_TRUE(cache().use(key_a));
  EXPECT_FALSE(cache().use(key_b));
  const auto layers = cache().list();
  ASSERT_TRUE(layers);
  ASSERT_EQ(layers->size(), 1U);
  EXPECT_EQ(layers->at(0).what, "the base");
  EXPECT_GT(layers->at(0).bytes, 0U);
}

TEST_F(LayersTest, AfterARestartOnlyWhatWasSyncedCounts) {
  ASSERT_TRUE(cache().publish(made("one"), key_a, "one"));
  ASSERT_TRUE(cache().publish(made("two"), key_b, "two"));
  ASSERT_TRUE(cache().sync({key_b}));
  for (const std::string& key : {key_a, key_b}) {  // as if it had been written under another boot
    ASSERT_TRUE(write_file_atomic(cache().folder() / key / "layer.json", R"({"what": "x", "boot": "another"})"));
  }
  EXPECT_FALSE(cache().use(key_a));
  EXPECT_TRUE(cache().use(key_b));
}

TEST_F(LayersTest, HalfALayerIsNone) {
  ASSERT_TRUE(make_directories(cache().folder() / key_a / "tree"));
  EXPECT_FALSE(cache().use(key_a));
  ASSERT_TRUE(cache().publish(made("new"), key_a, "whole")) << "it is replaced";
  EXPECT_TRUE(cache().use(key_a));
}

TEST_F(LayersTest, OneThatAnotherMadeStays) {
  ASSERT_TRUE(cache().publish(made("one"), key_a, "one"));
  ASSERT_TRUE(cache().publish(made("two"), key_a, "two"));
  EXPECT_EQ(cache().list()->at(0).what, "one");
}

TEST_F(LayersTest, RemovedIsGone) {
  ASSERT_TRUE(cache().publish(made("one"), key_a, "one"));
  ASSERT_TRUE(cache().remove(key_a));
  EXPECT_FALSE(cache().use(key_a));
  EXPECT_TRUE(std::filesystem::is_empty(cache().folder()));
  EXPECT_TRUE(cache().remove(key_a)) << "absent is fine";
}

}  // namespace
}  // namespace domsmith::engine
