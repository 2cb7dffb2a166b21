#include "base/block_target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "base/write_behind.h"

namespace domsmith {
namespace {

constexpr std::uint64_t size = 10U << 20;

enum class Kind { memory, file, write_behind };

// All kinds behave alike.
class BlockTargetTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() != Kind::file) {
      target_ = memory_target(size);
      if (GetParam() == Kind::write_behind) {
        below_ = std::exchange(target_, std::make_unique<WriteBehind>(*target_));
      }
      return;
    }
    const std::string path = dir_.path() / "raw";
    Fd fd = *open_fd(path, O_RDWR | O_CREAT);
    ASSERT_EQ(::ftruncate(fd.get(), size), 0);
    target_ = *block_target_of(std::move(fd), path);
  }
  std::string text(std::uint64_t offset, std::size_t count) {
    std::string bytes(count, '?');
    EXPECT_TRUE(target_->read(offset, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
  Result<void> put(std::uint64_t offset, std::string_view bytes) {
    return target_->write(offset, std::as_bytes(std::span(bytes)));
  }
  TemporaryDirectory dir_ = *TemporaryDirectory::make();
  std::unique_ptr<BlockTarget> below_;
  std::unique_ptr<BlockTarget> target_;
};

TEST_P(BlockTargetTest, reads_what_was_written_and_zeroes_elsewhere) {
  ASSERT_TRUE(put(4090, "across a page"));
  EXPECT_EQ(text(4090, 13), "across a page");
  EXPECT_EQ(text(4089, 2), std::string("\0a", 2));
  EXPECT_EQ(text(size - 3, 3), std::string(3, '\0'));
}

TEST_P(BlockTargetTest, refuses_ranges_past_the_end) {
  EXPECT_FALSE(put(size - 1, "ab"));
  EXPECT_FALSE(put(~0ULL, "a"));
  EXPECT_FALSE(target_->discard(size, 1));
}

TEST_P(BlockTargetTest, discards_to_zeroes) {
  ASSERT_TRUE(put(0, std::string(20000, 'x')));
  ASSERT_TRUE(target_->discard(100, 15000));
  EXPECT_EQ(text(99, 2), std::string("x\0", 2));
  EXPECT_EQ(text(15099, 2), std::string("\0x", 2));
}

TEST_P(BlockTargetTest, knows_where_data_may_be) {
  EXPECT_FALSE(*target_->next_data(0));
  ASSERT_TRUE(put(5U << 20, "data"));
  const auto range = *target_->next_data(0);
  ASSERT_TRUE(range);
  EXPECT_LE(range->offset, 5U << 20);
  EXPECT_GT(range->offset + range->length, 5U << 20);
  EXPECT_FALSE(*target_->next_data(range->offset + range->length));
}

TEST_P(BlockTargetTest, copies_sparsely) {
  ASSERT_TRUE(put(1U << 20, std::string(100'000, 'a')));
  ASSERT_TRUE(put(3U << 20, std::string(300'000, '\0')));
  ASSERT_TRUE(put(size - 10, "the end..."));
  const auto copy = memory_target(size);
  const auto written = copy_sparse(*target_, *copy, {0, size});
  ASSERT_TRUE(written);
  EXPECT_LT(*written, 200'000U);
  EXPECT_GE(*written, 100'010U);
  std::string bytes(10, '?');
  ASSERT_TRUE(copy->read(size - 10, std::as_writable_bytes(std::span(bytes))));
  EXPECT_EQ(bytes, "the end...");
}

// Several parts.
TEST_P(BlockTargetTest, copies_parts_each_to_its_place) {
  std::string pattern;
  for (unsigned i = 1; pattern.size() < (5U << 20) + 77; ++i) {
    pattern += std::to_string(i * 2654435761U);
  }
  ASSERT_TRUE(put(123'456, pattern));
  const auto copy = memory_target(size);
  ASSERT_TRUE(copy_sparse(*target_, *copy, {0, size}));
  std::string bytes(pattern.size(), '?');
  ASSERT_TRUE(copy->read(123'456, std::as_writable_bytes(std::span(bytes))));
  EXPECT_TRUE(bytes == pattern);
}

// In the first part, and in the last.
TEST_P(BlockTargetTest, a_copy_that_cannot_be_written_is_an_error) {
  ASSERT_TRUE(put(0, std::string(size, 'x')));
  const auto none = memory_target(0);
  EXPECT_FALSE(copy_sparse(*target_, *none, {0, size}));
  const auto small = memory_target(size - 1);
  EXPECT_FALSE(copy_sparse(*target_, *small, {0, size}));
}

TEST_P(BlockTargetTest, copies_nothing_outside_the_range) {
  ASSERT_TRUE(put(1U << 20, std::string(100'000, 'a')));
  const auto copy = memory_target(size);
  EXPECT_EQ(copy_sparse(*target_, *copy, {(1U << 20) + 10, 20}).value(), 20U);
  EXPECT_EQ(copy_sparse(*target_, *copy, {2U << 20, 1U << 20}).value(), 0U);
  std::string bytes(22, '?');
  ASSERT_TRUE(copy->read((1U << 20) + 9, std::as_writable_bytes(std::span(bytes))));
  EXPECT_EQ(bytes, '\0' + std::string(20, 'a') + '\0');
}

INSTANTIATE_TEST_SUITE_P(Kinds, BlockTargetTest, testing::Values(Kind::memory, Kind::file, Kind::write_behind),
                         [](const auto& kind) {
                           return kind.param == Kind::memory ? "memory"
                                  : kind.param == Kind::file ? "file"
                                                             : "write_behind";
                         });

TEST(OpenBlockTarget, takes_files_and_devices_only) {
  EXPECT_FALSE(open_block_target("/dev/null", Access::read_only));
  EXPECT_EQ(open_block_target("/nonexistent", Access::read_only).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace domsmith
