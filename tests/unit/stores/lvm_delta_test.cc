// thin_delta's text.
#include "lvm-snapshots/lvm_delta.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

TEST(LvmDelta, WhatIsNotSharedIsCounted) {
  const auto bytes = parse_thin_delta(
      "<superblock uuid=\"\" time=\"1\" transaction=\"2\" data_block_size=\"128\" nr_data_blocks=\"100\">\n"
      "  <diff left=\"1\" right=\"2\">\n"
      "    <same begin=\"0\" length=\"16\"/>\n    <different begin=\"16\" length=\"2\"/>\n"
      "    <right_only begin=\"18\" length=\"3\"/>\n    <left_only begin=\"40\" length=\"1\"/>\n"
      "  </diff>\n</superblock>\n");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, 6U * 128 * 512);
}

TEST(LvmDelta, TextThatIsCutOffIsRefused) {
  for (const char* bad : {"", "<superblock data_block_size=\"128\"><diff>", "<superblock></superblock>",
                          "<superblock data_block_size=\"128\"><different begin=\"1\"/></superblock>"}) {
    EXPECT_FALSE(parse_thin_delta(bad)) << bad;
  }
}

}  // namespace
}  // namespace domsmith
