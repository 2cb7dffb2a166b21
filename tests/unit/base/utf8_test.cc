#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace domsmith {
namespace {

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("abc"), 3U);
  EXPECT_EQ(count_code_points("ä€\U0001f600"), 3U);
  EXPECT_EQ(count_code_points("\xff\xc3\xe2\x82"), 4U) << "a byte that is no UTF-8 counts as one";
}

TEST(Utf8, CutsBetweenThem) {
  EXPECT_EQ(first_code_points("ä€x", 2), "ä€");
  EXPECT_EQ(without_code_points("ä€x", 2), "x");
  EXPECT_EQ(first_code_points("ä", 5), "ä");
  EXPECT_EQ(without_code_points("ä", 5), "");
}

TEST(Utf8, KnowsWhatIsNone) {
  for (const std::string good :
       {"", "a", "\x7f", "ä", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  // A continuation byte alone, overlong forms, surrogates, past U+10FFFF, sequences cut short.
  for (const std::string bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3x"}) {
    EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace domsmith
