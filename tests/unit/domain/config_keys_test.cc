#include "provision/domain/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace domsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& key : config_keys(text)) {
    out.push_back(key.name);
  }
  return out;
}

TEST(ConfigKeys, OutsideOfStringsBracketsAndComments) {
  EXPECT_THAT(names("a = 'b = 1'\nc.d_0 = [ 'x', [ \"y\\\" z = 2\" ],\n # q = 3\n ]; e=0xff # f = 1\ng += [ 1 ]"),
              ElementsAre("a", "c.d_0", "e", "g"));
  EXPECT_THAT(names(""), IsEmpty());
  EXPECT_THAT(names("# only = this"), IsEmpty());
}

TEST(ConfigKeys, HavePlaces) {
  const auto keys = config_keys("a=1\n  bb = 'x'\n");
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[1].line, 2U);
  EXPECT_EQ(keys[1].column, 3U);
}

TEST(ConfigKeys, EndsOnTextThatIsCutShort) {
  for (const auto* text : {"a = '", "a = '\\", "a = [", "'", "]", "a = 0x"}) {
    EXPECT_LE(config_keys(text).size(), 1U) << text;
  }
}

}  // namespace
}  // namespace domsmith
