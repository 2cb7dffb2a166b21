#include <gmock/gmock.h>

#include <functional>

#include "imagebuild/extfs/needed_size.h"
#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Fill = std::function<void(TreeWriter&)>;

Result<void> fill_image(Image& image, const Fill& fill, WriterStats& stats) {
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  fill(writer);
  Result<void> finished = writer.finish();
  stats = writer.stats();
  if (finished) {
    must(fs.close());
    image.expect_clean();
  }
  return finished;
}

// The tree does not fit into `size`; it does fit into what the error names.
void expect_named_size_does(std::uint64_t size, const Fill& fill) {
  Image small(size);
  WriterStats stats;
  const auto failed = fill_image(small, fill, stats);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_THAT(failed.error().what, HasSubstr("is too small"));
  EXPECT_EQ(failed.error().remedy, "set [filesystem] size = \"" + recipe_size(stats.size_needed) + "\"");
  ASSERT_GT(stats.size_needed, size);
  ASSERT_LE(stats.size_least, stats.size_needed);
  for (const std::uint64_t enough : {stats.size_needed, stats.size_least}) {
    Image large(enough);
    const auto retried = fill_image(large, fill, stats);
    EXPECT_TRUE(retried) << told(retried.error());
  }
}

TEST(NeededSize, OfALargeFile) {
  expect_named_size_does(16 * mib, [](TreeWriter& writer) { add_file(writer, "large", std::string(100 * mib, 'x')); });
}

TEST(NeededSize, OfManyFiles) {
  expect_named_size_does(16 * mib, [](TreeWriter& writer) {
    for (int number = 0; number < 12'000; ++number) {
      add_file(writer, "d" + std::to_string(number % 50) + "/" + std::to_string(number), std::string(4097, 'x'));
    }
  });
}

TEST(NeededSize, OfManyInodes) {
  expect_named_size_does(64 * mib, [](TreeWriter& writer) {
    for (int number = 0; number < 30'000; ++number) {
      must(writer.entry(file("d" + std::to_string(number % 50) + "/" + std::to_string(number))));
    }
  });
}

TEST(NeededSize, OfAFileInManyPieces) {
  expect_named_size_does(8 * mib, [](TreeWriter& writer) {
    must(writer.entry(file("pieces", 1ULL << 40)));
    for (std::uint64_t number = 0; number < 20'000; ++number) {
      must(writer.data(number << 20, std::as_bytes(std::span("data", 4))));
    }
  });
}

TEST(NeededSize, OfATreeThatAlmostFits) {
  const std::uint64_t size = 64 * mib;
  Image probe(size);
  const std::uint64_t free = probe.format().free_bytes();
  for (const std::uint64_t over : {4096U, 40'960U, 409'600U}) {
    expect_named_size_does(size, [&](TreeWriter& writer) {
      must(writer.entry(file("large", free + over)));
      const std::string piece(mib, 'x');
      for (std::uint64_t at = 0; at + mib <= free + over; at += mib) {
        must(writer.data(at, std::as_bytes(std::span(piece))));
      }
      must(writer.data((free + over) / mib * mib, std::as_bytes(std::span(piece).first((free + over) % mib))));
    });
  }
}

TEST(NeededSize, ReadsLikeThis) {
  Image image(64 * mib);
  WriterStats stats;
  const auto failed =
      fill_image(image, [](TreeWriter& writer) { add_file(writer, "large", std::string(200 * mib, 'x')); }, stats);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "the file system of 64.0 MiB is too small: 221.0 MiB would do");
  EXPECT_EQ(failed.error().remedy, "set [filesystem] size = \"224MiB\"");
}

TEST(NeededSize, GrowsWithTheNeed) {
  std::uint64_t before = 0;
  for (std::uint64_t blocks = 100; blocks < 40'000'000; blocks = blocks * 3) {
    const NeededSize size = must(needed_size({.blocks = blocks, .inodes = 100, .inode_ratio = 16384}));
    EXPECT_GE(size.least, before);
    EXPECT_GE(size.rounded, size.least);
    EXPECT_GT(size.least, blocks * 4096);
    EXPECT_LT(size.least, blocks * 4096 * 11 / 10 + 1200 * mib);
    before = size.least;
  }
}

TEST(RecipeSize, IsWhatARecipeTakes) {
  EXPECT_EQ(recipe_size(224 * mib), "224MiB");
  EXPECT_EQ(recipe_size(2048 * mib), "2GiB");
  EXPECT_EQ(recipe_size(2304 * mib), "2304MiB");
}

}  // namespace
}  // namespace domsmith::extfs
