#include "imagebuild/recipe/headroom.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

constexpr std::uint64_t mebibyte = 1ULL << 20;

TEST(Headroom, IsASizeOrAPart) {
  EXPECT_EQ(parse_headroom("256MiB"), (Headroom{.bytes = 256 * mebibyte, .percent = 0}));
  EXPECT_EQ(parse_headroom("20%"), (Headroom{.bytes = 0, .percent = 20}));
  EXPECT_EQ(parse_headroom("0%"), Headroom{});
  for (const char* wrong : {"", "%", "20 %", "-1%", "1001%", "20", "much", "20.5%", "100TiB"}) {
    EXPECT_EQ(parse_headroom(wrong).has_value(), std::string_view(wrong) == "20") << wrong;
  }
}

TEST(Headroom, IsAddedInWholeMebibytes) {
  EXPECT_EQ((Headroom{.bytes = 1, .percent = 0}).size_for(100 * mebibyte), 101 * mebibyte);
  EXPECT_EQ((Headroom{.bytes = 0, .percent = 20}).size_for(100 * mebibyte), 120 * mebibyte);
  EXPECT_EQ(Headroom{}.size_for(100 * mebibyte), 100 * mebibyte);
  EXPECT_EQ(Headroom{}.size_for(1), 64 * mebibyte) << "as small as a recipe may have it";
}

}  // namespace
}  // namespace domsmith
