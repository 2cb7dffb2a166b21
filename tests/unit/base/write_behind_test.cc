#include "base/write_behind.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace domsmith {
namespace {

constexpr std::uint64_t target_bytes = 64U << 20;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Keeps what it was asked for; fails from the write on that covers `bad`.
class Recorder final : public BlockTarget {
 public:
  explicit Recorder(std::uint64_t bad = target_bytes) : bad_(bad), memory_(memory_target(target_bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return memory_->size(); }
  [[nodiscard]] std::string name() const override { return "recorder"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return memory_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    writes.emplace_back(offset, from.size());
    if (offset <= bad_ && bad_ < offset + from.size()) {
      return fail(ErrorCode::no_space, "the pool is full");
    }
    return memory_->write(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return memory_->discard(offset, length); }
  Result<void> flush() override {
    ++flushes;
    return {};
  }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return memory_->next_data(offset); }

  std::vector<std::pair<std::uint64_t, std::size_t>> writes;
  int flushes = 0;

 private:
  std::uint64_t bad_;
  std::unique_ptr<BlockTarget> memory_;
};

TEST(WriteBehind, joins_what_follows_and_keeps_the_order) {
  Recorder below;
  WriteBehind behind(below);
  const std::string page(4096, 'p');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(behind.write(4096 * i, bytes_of(page)));
  }
  ASSERT_TRUE(behind.write(1U << 20, bytes_of("far")));
  ASSERT_TRUE(behind.write(5, bytes_of("back")));
  ASSERT_TRUE(behind.settle());
  EXPECT_EQ(below.writes, (std::vector<std::pair<std::uint64_t, std::size_t>>{{0, 40960}, {1U << 20, 3}, {5, 4}}));
  EXPECT_EQ(below.flushes, 0);
}

TEST(WriteBehind, cuts_long_writes_into_pieces) {
  Recorder below;
  WriteBehind behind(below);
  const std::string much(WriteBehind::piece_bytes * 20 + 7, 'm');  // more than it may hold
  ASSERT_TRUE(behind.write(3, bytes_of(much)));
  ASSERT_TRUE(behind.flush());
  EXPECT_EQ(below.flushes, 1);
  ASSERT_EQ(below.writes.size(), 21U);
  EXPECT_EQ(below.writes.back(), (std::pair<std::uint64_t, std::size_t>{3 + WriteBehind::piece_bytes * 20, 7}));
  std::string back(much.size(), '\0');
  ASSERT_TRUE(behind.read(3, std::as_writable_bytes(std::span(back))));
  EXPECT_TRUE(back == much);
}

TEST(WriteBehind, tells_an_error_later_and_writes_nothing_after_it) {
  Recorder below(2 * WriteBehind::piece_bytes);
  WriteBehind behind(below);
  const std::string much(WriteBehind::piece_bytes * 12, 'm');
  Result<void> done = behind.write(0, bytes_of(much));
  if (done) {
    done = behind.settle();
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::no_space);
  EXPECT_FALSE(behind.flush());
  EXPECT_FALSE(behind.discard(0, 4096));
  EXPECT_EQ(below.writes.size(), 3U);
  EXPECT_EQ(below.flushes, 0);
}

TEST(WriteBehind, refuses_a_range_past_the_end_at_once) {
  Recorder below;
  WriteBehind behind(below);
  EXPECT_FALSE(behind.write(target_bytes - 1, bytes_of("ab")));
  EXPECT_TRUE(behind.settle());
}

TEST(WriteBehind, writes_what_is_left_when_it_goes) {
  Recorder below;
  {
    WriteBehind behind(below);
    ASSERT_TRUE(behind.write(7, bytes_of("left")));
  }
  EXPECT_EQ(below.writes.size(), 1U);
}

}  // namespace
}  // namespace domsmith
