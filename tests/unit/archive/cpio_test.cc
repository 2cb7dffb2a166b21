#include "imagebuild/archive/cpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/process.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;

std::string sample(Compression compression = Compression::none) {
  CpioWriter writer(1'700'000'000);
  EXPECT_TRUE(writer.directory("dev", 0755));
  EXPECT_TRUE(writer.device("dev/console", 0600, false, 5, 1));
  EXPECT_TRUE(writer.file("usr/lib/modules/m.ko", "module"));
  EXPECT_TRUE(writer.symlink("init", "usr/bin/init"));
  EXPECT_TRUE(writer.file("usr/bin/init", "#!", 0755));
  return writer.finish(compression).value();
}

TEST(CpioWriter, WritesTheSameBytesEachTime) {
  EXPECT_EQ(sample(), sample());
  EXPECT_EQ(sample(Compression::gzip), sample(Compression::gzip));
  EXPECT_EQ(sample(Compression::zstd), sample(Compression::zstd));
}

TEST(CpioWriter, WritesHeadersAsTheKernelReadsThem) {
  CpioWriter writer(1);
  ASSERT_TRUE(writer.file("a", "xyz", 0640));
  const std::string bytes = writer.finish().value();
  EXPECT_EQ(bytes.substr(0, 110),
            "07070100000001000081A000000000000000000000000100000001000000030000000000000000"
            "00000000000000000000000200000000");
  EXPECT_EQ(bytes.substr(110, 2), std::string("a\0", 2));
  EXPECT_EQ(bytes.substr(112, 4), std::string("xyz\0", 4));
  EXPECT_THAT(bytes.substr(116), HasSubstr("TRAILER!!!"));
  EXPECT_EQ(bytes.size() % 512, 0U);
}

TEST(CpioWriter, CpioListsIt) {
  const auto cpio = find_program("cpio");
  if (!cpio) {
    GTEST_SKIP() << "cpio is not installed";
  }
  const auto listed = run_checked({.argv = {*cpio, "-itv", "--quiet"}, .environment = {}, .working_directory = {}},
                                  {.input = sample()});
  ASSERT_TRUE(listed);
  EXPECT_THAT(listed->out, HasSubstr("usr/lib/modules/m.ko"));
  EXPECT_THAT(listed->out, HasSubstr("init -> usr/bin/init"));
  EXPECT_THAT(listed->out, HasSubstr("crw-------"));
}

TEST(CpioWriter, RefusesWhatMakesNoSense) {
  CpioWriter writer;
  ASSERT_TRUE(writer.file("a/b", "x"));
  EXPECT_TRUE(writer.directory("a"));
  for (const char* path : {"", "/a", "a/", "a//b", "../a", "a/./b", "a/..", "."}) {
    EXPECT_FALSE(writer.file(path, "x")) << path;
  }
  EXPECT_THAT(writer.file("a/b", "y").error().what, HasSubstr("twice"));
  EXPECT_THAT(writer.file("a", "y").error().what, HasSubstr("twice"));
  EXPECT_THAT(writer.directory("a/b").error().what, HasSubstr("no directory"));
  EXPECT_FALSE(writer.file("a/b/c", "x"));
  EXPECT_FALSE(writer.symlink("l", ""));
}

}  // namespace
}  // namespace domsmith
