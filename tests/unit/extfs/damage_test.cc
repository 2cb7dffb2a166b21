// Damaged file systems: an Error or an answer, never a crash or a hang.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "imagebuild/extfs/walk.h"
#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state_ >> 33) % limit;
  }

 private:
  std::uint64_t state_;
};

std::vector<std::byte> sample() {
  Image image(4 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  add_file(writer, "etc/passwd", "root");
  must(writer.entry(symlink("etc/link", "passwd")));
  must(writer.entry(symlink("etc/long", std::string(200, 'l'))));
  Entry with = file("etc/with");
  with.xattrs = {{"user.a", "b"}, {"user.long", std::string(1000, 'l')}};
  must(writer.entry(with));
  for (int number = 0; number < 300; ++number) {
    must(writer.entry(hard_link("many/a-name-of-usual-length-" + std::to_string(number), "etc/passwd")));
  }
  must(writer.finish());
  must(fs.close());
  std::vector<std::byte> bytes(image.target().size());
  must(image.target().read(0, bytes));
  return bytes;
}

std::vector<std::uint64_t> used_blocks(const std::vector<std::byte>& good) {
  std::vector<std::uint64_t> blocks;
  for (std::uint64_t block = 0; block < good.size() / 4096; ++block) {
    const auto bytes = std::span(good).subspan(block * 4096, 4096);
    if (std::ranges::any_of(bytes, [](std::byte each) { return each != std::byte{}; })) {
      blocks.push_back(block);
    }
  }
  return blocks;
}

void touch_everything(BlockTarget& target) {
  auto fs = FileSystem::open(target, Access::read_write);
  if (!fs) {
    return;
  }
  static_cast<void>(fs->list("/"));
  static_cast<void>(fs->list("many"));
  static_cast<void>(fs->read_file("etc/passwd", mib));
  static_cast<void>(fs->read_file("many/a-name-of-usual-length-7", mib));
  static_cast<void>(fs->read_link("etc/link"));
  static_cast<void>(fs->read_file("etc/long", mib));
  static_cast<void>(fs->xattrs("etc/with"));
  for (std::uint64_t at = 0;;) {
    const auto range = fs->next_used(at);
    if (!range || !*range) {
      break;
    }
    at = (*range)->offset + (*range)->length;
  }
  static_cast<void>(fs->write_file("etc/passwd", std::string(10'000, 'n')));
  static_cast<void>(fs->write_file("many/new", "x", {.xattrs = {{"user.a", "b"}}}));
  static_cast<void>(fs->make_directories("new/deep"));
  static_cast<void>(fs->symlink("etc/link", "elsewhere"));
  static_cast<void>(fs->remove("etc/with"));
  static_cast<void>(fs->remove_tree("many"));
  static_cast<void>(fs->close());
}

TEST(Damage, OfRandomBytes) {
  const std::vector<std::byte> good = sample();
  const std::vector<std::uint64_t> metadata = used_blocks(good);
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto target = memory_target(good.size());
    for (const std::uint64_t block : metadata) {
      must(target->write(block * 4096, std::span(good).subspan(block * 4096, 4096)));
    }
    for (std::uint64_t change = 1 + random.below(6); change-- > 0;) {
      const std::byte value{static_cast<unsigned char>(random.below(256))};
      must(target->write(metadata[random.below(metadata.size())] * 4096 + random.below(4096), std::span(&value, 1)));
    }
    touch_everything(*target);
  }
}

// Checksums keep most random damage from being looked at; an attacker sums up anew. Without the feature nothing is
// checked.
TEST(Damage, ThatNoChecksumTells) {
  std::vector<std::byte> good = sample();
  good[1024 + 0x65] &= std::byte{0xfb};  // s_feature_ro_compat without metadata_csum
  good[1024 + 0x61] &= std::byte{0xdf};  // s_feature_incompat without the checksum seed
  const std::vector<std::uint64_t> metadata = used_blocks(good);
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto target = memory_target(good.size());
    for (const std::uint64_t block : metadata) {
      must(target->write(block * 4096, std::span(good).subspan(block * 4096, 4096)));
    }
    for (std::uint64_t change = 1 + random.below(20); change-- > 0;) {
      const std::byte value{static_cast<unsigned char>(random.below(256))};
      must(target->write(metadata[random.below(metadata.size())] * 4096 + random.below(4096), std::span(&value, 1)));
    }
    touch_everything(*target);
  }
}

TEST(Damage, OfATargetThatIsTooShort) {
  const std::vector<std::byte> good = sample();
  for (const std::uint64_t size : {1024UL, 2048UL, 4096UL, 100'000UL, 1'000'000UL, good.size() - 4096}) {
    const auto target = memory_target(size);
    must(target->write(0, std::span(good).first(size)));
    touch_everything(*target);
  }
}

// Of /a/b the entry "b" leads to /a.
std::unique_ptr<BlockTarget> image_that_contains_itself() {
  Image image(4 * mib);
  FileSystem fs = image.format();
  must(fs.make_directories("a/b"));
  must(fs.close());
  std::vector<std::byte> bytes(image.target().size());
  must(image.target().read(0, bytes));
  const std::uint32_t a = must(image.open().stat("a")).inode;
  const std::uint32_t b = must(image.open().stat("a/b")).inode;
  bytes[1024 + 0x65] &= std::byte{0xfb};
  bytes[1024 + 0x61] &= std::byte{0xdf};
  auto target = memory_target(bytes.size());
  for (std::size_t at = 0; at + 12 <= bytes.size(); at += 4) {
    std::uint32_t inode = 0;
    std::memcpy(&inode, &bytes[at], sizeof inode);
    if (inode == b && bytes[at + 6] == std::byte{1} && bytes[at + 8] == std::byte{'b'}) {
      std::memcpy(&bytes[at], &a, sizeof a);
    }
  }
  must(target->write(0, bytes));
  return target;
}

TEST(Damage, OfADirectoryThatContainsItself) {
  const auto target = image_that_contains_itself();
  FileSystem fs = must(FileSystem::open(*target, Access::read_write));
  const auto removed = fs.remove_tree("a");
  ASSERT_FALSE(removed);
  EXPECT_THAT(told(removed.error()), ::testing::HasSubstr("contains itself"));
}

// The fuzzer's finding: each path of an endless tree was looked up from the root anew, for minutes.
TEST(Damage, AWalkThroughADirectoryThatContainsItselfEnds) {
  const auto target = image_that_contains_itself();
  FileSystem fs = must(FileSystem::open(*target, Access::read_only));
  int seen = 0;
  const auto walked = walk(fs, [&seen](const std::string&, const NodeInfo&) -> Result<void> {
    return ++seen < 1000 ? Result<void>() : fail(ErrorCode::failed, "no end");
  });
  ASSERT_FALSE(walked);
  EXPECT_THAT(told(walked.error()), ::testing::HasSubstr("its folder '/a/b' has a second name"));
  EXPECT_EQ(seen, 2);
}

// A target whose writes fail from some moment on.
class FailingTarget final : public BlockTarget {
 public:
  FailingTarget(std::uint64_t size, int good_writes) : inner_(memory_target(size)), left_(good_writes) {}
  [[nodiscard]] std::uint64_t size() const override { return inner_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return inner_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (left_-- <= 0) {
      return fail(ErrorCode::no_space, "the thin pool is full");
    }
    return inner_->write(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return inner_->discard(offset, length); }
  Result<void> flush() override { return inner_->flush(); }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return inner_->next_data(offset); }
  [[nodiscard]] std::string name() const override { return "failing"; }

 private:
  std::unique_ptr<BlockTarget> inner_;
  int left_;
};

TEST(Damage, AWriteThatFailsIsNamed) {
  bool finished = false;
  for (int writes = 0; !finished; ++writes) {
    SCOPED_TRACE(writes);
    ASSERT_LT(writes, 200);
    FailingTarget target(16 * mib, writes);
    const auto whole = [&]() -> Result<void> {
      FileSystem fs = TRY(FileSystem::format(target, {}));
      TreeWriter writer(fs);
      TRY(writer.entry(file("file", 3 * mib)));
      const std::string bytes(3 * mib, 'x');
      TRY(writer.data(0, std::as_bytes(std::span(bytes))));
      TRY(writer.finish());
      TRY(fs.write_file("more", "x"));
      return fs.close();
    }();
    finished = whole.has_value();
    if (!finished) {
      EXPECT_EQ(whole.error().code, ErrorCode::no_space);
      EXPECT_THAT(told(whole.error()), ::testing::HasSubstr("the thin pool is full"));
    }
  }
}

}  // namespace
}  // namespace domsmith::extfs
