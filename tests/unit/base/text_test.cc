#include "base/text.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

TEST(ParseSize, reads_both_kinds_of_units) {
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
  EXPECT_EQ(parse_size("512 MiB"), 512ULL << 20);
  EXPECT_EQ(parse_size("3GB"), 3'000'000'000ULL);
  EXPECT_EQ(parse_size("17"), 17U);
}

TEST(ParseSize, refuses_the_rest) {
  for (const char* text :
       {"", "GiB", "-1", "1.5GiB", "1gib", "99999999999TiB", "1GiB ", "0x10", "18446744073709551616"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(SizeText, is_short) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(2ULL << 30), "2.0 GiB");
}

TEST(Nearest, finds_what_was_meant_and_nothing_else) {
  const std::vector<std::string> keys{"install", "remove", "recommends"};
  EXPECT_EQ(nearest("instal", keys), "install");
  EXPECT_EQ(nearest("isntall", keys), "install");
  EXPECT_EQ(nearest("recomends", keys), "recommends");
  EXPECT_EQ(nearest("zzz", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), keys), "");
}

TEST(CheckName, takes_host_labels_only) {
  EXPECT_TRUE(check_name("name", "web-1"));
  EXPECT_TRUE(check_name("name", std::string(63, 'a')));
  for (const std::string& name :
       {std::string(), std::string("Web"), std::string("-a"), std::string("a-"), std::string("a b"),
        std::string("../x"), std::string("a\n"), std::string(64, 'a'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(check_name("name", name)) << name;
  }
}

TEST(Text, splits_and_trims) {
  EXPECT_EQ(split_lines("a\nb\n\nc"), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(trimmed(" \t x y \n"), "x y");
  EXPECT_EQ(trimmed(" \n"), "");
}

}  // namespace
}  // namespace domsmith
