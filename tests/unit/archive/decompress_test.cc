#include "imagebuild/archive/decompress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "base/interrupt.h"
#include "base/process.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;

std::string sample() {
  std::string bytes;
  for (int number = 0; number < 20'000; ++number) {
    bytes += std::to_string(number * 7919) + " ";
  }
  return bytes;
}

TEST(Decompress, UnpacksWhatToolsPack) {
  const std::string bytes = sample();
  for (const char* tool : {"gzip", "xz", "lzma", "zstd", "bzip2", "lz4"}) {
    SCOPED_TRACE(tool);
    const auto program = find_program(tool);
    if (!program) {
      continue;
    }
    const auto packed =
        run_checked({.argv = {*program, "-c"}, .environment = {}, .working_directory = {}}, {.input = bytes});
    ASSERT_TRUE(packed);
    ASSERT_LT(packed->out.size(), bytes.size());
    EXPECT_EQ(decompress(packed->out, bytes.size()).value(), bytes);
    EXPECT_THAT(decompress(packed->out, bytes.size() - 1).error().what, HasSubstr("unpacks to more than"));
    EXPECT_FALSE(decompress(std::string_view(packed->out).substr(0, packed->out.size() / 2), bytes.size()));
  }
}

TEST(Decompress, TakesNoMoreMemoryThanExpectedNorThanAllowed) {
  const std::string bytes = sample();
  const std::string packed = compress(bytes, Compression::gzip).value();
  EXPECT_EQ(decompress(packed, 10 * bytes.size(), bytes.size()).value().capacity(), bytes.size());
  EXPECT_EQ(decompress(packed, bytes.size(), 10 * bytes.size()).value().capacity(), bytes.size());
  EXPECT_EQ(decompress(packed, bytes.size(), 1).value(), bytes);
}

TEST(Decompress, PassesOnWhatIsNotCompressed) {
  EXPECT_EQ(decompress("\x7f"
                       "ELF",
                       100)
                .value(),
            "\x7f"
            "ELF");
  EXPECT_EQ(decompress("", 0).value(), "");
  EXPECT_FALSE(decompress("abc", 2));
}

TEST(Compress, IsUndoneByDecompress) {
  const std::string bytes = sample();
  for (const Compression method : {Compression::none, Compression::gzip, Compression::xz, Compression::zstd}) {
    const std::string packed = compress(bytes, method).value();
    EXPECT_EQ(decompress(packed, bytes.size()).value(), bytes);
    EXPECT_EQ(packed, compress(bytes, method).value());
  }
  EXPECT_EQ(decompress(compress("", Compression::gzip).value(), 10).value(), "");
}

TEST(Compress, EndsWhenItIsInterrupted) {
  const auto interrupted_compression = [] {
    catch_interrupts();
    std::raise(SIGTERM);
    const auto packed = compress(std::string(4U << 20, 'x'), Compression::zstd);
    std::exit(!packed && packed.error().code == ErrorCode::interrupted ? 0 : 1);
  };
  EXPECT_EXIT(interrupted_compression(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace domsmith
