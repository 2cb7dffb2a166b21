// A real ext4 in a file made longer and shorter, and what was begun taken back byte for byte.
#include "provision/guests/filesystem_size.h"

#include <gmock/gmock.h>

#include "base/block_target.h"
#include "base/crypto.h"
#include "base/error_text.h"
#include "base/file.h"
#include "base/process.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t kMib = 1U << 20;

class FilesystemSizeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file_atomic(device_, ""));
    fs::resize_file(device_, 32 * kMib);
    const auto target = open_block_target(device_, Access::read_write);
    ASSERT_TRUE(target);
    auto image = extfs::FileSystem::format(**target, {.label = "root"});
    ASSERT_TRUE(image) << error_text(image.error());
    ASSERT_TRUE(image->write_file("/text", std::string(300'000, 'x')));
    ASSERT_TRUE(image->close());
  }
  [[nodiscard]] std::string bytes() const { return sha256_hex(*read_file(device_)); }
  void expect_whole(std::uint64_t size) const {
    const auto checked = run({{*find_program("e2fsck"), "-fn", device_}, {}, {}});
    EXPECT_TRUE(checked->status.success()) << checked->out;
    const auto target = open_block_target(device_, Access::read_only);
    auto image = extfs::FileSystem::open(**target, Access::read_only);
    ASSERT_TRUE(image);
    EXPECT_EQ(image->size(), size);
    EXPECT_EQ(image->read_file("/text", 1U << 20).value_or("gone"), std::string(300'000, 'x'));
  }
  Result<void> resize(std::uint64_t size) { return resize_filesystem(device_, size, undo_); }

  TemporaryDirectory directory_ = *TemporaryDirectory::make();
  std::string device_ = (directory_.path() / "disk").string();
  fs::path undo_ = directory_.path() / "undo";
};

TEST_F(FilesystemSizeTest, LongerAndShorter) {
  fs::resize_file(device_, 64 * kMib);
  const auto grown = resize(64 * kMib);
  ASSERT_TRUE(grown) << error_text(grown.error());
  expect_whole(64 * kMib);
  fs::remove(undo_);
  const auto least = least_filesystem_size(device_);
  ASSERT_TRUE(least) << error_text(least.error());
  EXPECT_LT(*least, 24 * kMib);
  ASSERT_TRUE(resize(24 * kMib));
  expect_whole(24 * kMib);
}

TEST_F(FilesystemSizeTest, TheSameSizeAgainIsNoError) {
  ASSERT_TRUE(resize(24 * kMib));
  fs::remove(undo_);
  EXPECT_TRUE(resize(24 * kMib));
}

TEST_F(FilesystemSizeTest, WhatWasBegunIsTakenBack) {
  ASSERT_TRUE(least_filesystem_size(device_));  // its e2fsck notes the time
  fs::resize_file(device_, 64 * kMib);
  const std::string before = bytes();
  ASSERT_TRUE(resize(64 * kMib));
  ASSERT_NE(bytes(), before);
  const auto undone = undo_resize(device_, undo_);
  ASSERT_TRUE(undone) << error_text(undone.error());
  expect_whole(32 * kMib);
}

TEST_F(FilesystemSizeTest, WhatWasCutOffStays) {
  ASSERT_TRUE(resize(16 * kMib));
  ASSERT_EQ(fs::file_size(device_), 16 * kMib) << "resize2fs does so with a file";
  const auto undone = undo_resize(device_, undo_);
  ASSERT_TRUE(undone) << error_text(undone.error());
  expect_whole(16 * kMib);
}

TEST_F(FilesystemSizeTest, NothingIsTakenBackWhereNothingWasBegun) {
  const std::string before = bytes();
  EXPECT_TRUE(undo_resize(device_, undo_));
  EXPECT_EQ(bytes(), before);
}

TEST_F(FilesystemSizeTest, WhatDoesNotFitIsRefusedAndHarmless) {
  const auto refused = resize(1 * kMib);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::no_space) << error_text(refused.error());
  ASSERT_TRUE(undo_resize(device_, undo_));
  expect_whole(32 * kMib);
}

}  // namespace
}  // namespace domsmith
