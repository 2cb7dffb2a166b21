// An image of damaged bytes is refused, or taken where the damage did not matter; never a crash, never a long wait.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "provision/identity/clone_cost.h"
#include "provision/images/inspect.h"
#include "tests/unit/cli/golden_store.h"

namespace domsmith {
namespace {

constexpr std::uint64_t image_bytes = 16U << 20;
constexpr std::uint64_t metadata_bytes = 2U << 20;  // where most of it lies

class Damaged : public testing::Test {
 protected:
  void SetUp() override {
    const auto memory = memory_target(image_bytes);
    ASSERT_TRUE(write_golden_image(*memory));
    sound_.resize(image_bytes);
    ASSERT_TRUE(memory->read(0, std::as_writable_bytes(std::span(sound_))));
  }
  Result<Inspection> inspect(const std::string& bytes) {
    EXPECT_TRUE(write_file_atomic(file_, bytes));
    const auto target = open_block_target(file_, Access::read_only);
    EXPECT_TRUE(target);
    (void)used_ranges(**target);
    return inspect_image(**target);
  }
  TemporaryDirectory folder_ = *TemporaryDirectory::make();
  std::string file_ = folder_.path() / "image";
  std::string sound_;
};

TEST_F(Damaged, ASoundImageIsSeenInASealedProcessAsItIs) {
  const auto seen = inspect(sound_);
  ASSERT_TRUE(seen) << error_text(seen.error());
  EXPECT_EQ(seen->description.name, "gold");
  EXPECT_EQ(seen->content.boot.version, "6.1.0-10-amd64");
  EXPECT_TRUE(seen->content.boot.ability.pv && seen->content.boot.ability.pvh);
  const auto memory = memory_target(image_bytes);
  ASSERT_TRUE(memory->write(0, std::as_bytes(std::span(sound_))));
  const auto direct = inspect_image(*memory);
  ASSERT_TRUE(direct);
  EXPECT_EQ(seen->content.boot.kernel_sha256, direct->content.boot.kernel_sha256);
  EXPECT_EQ(seen->content.boot.initrd_sha256, direct->content.boot.initrd_sha256);
  EXPECT_EQ(seen->content.used, direct->content.used);
}

TEST_F(Damaged, AKernelOfManyPiecesComesOutOfTheSealedProcessWhole) {
  std::mt19937 random(13);  // NOLINT(cert-msc51-cpp): the same kernel every time
  std::string kernel = boot::vmlinux_with({1, 18});
  kernel.resize(5'000'001);
  std::ranges::generate(kernel.begin() + 100'000, kernel.end(), [&] { return static_cast<char>(random()); });
  const auto memory = memory_target(image_bytes);
  ASSERT_TRUE(memory->write(0, std::as_bytes(std::span(sound_))));
  {
    auto image = extfs::FileSystem::open(*memory, Access::read_write);
    ASSERT_TRUE(image);
    ASSERT_TRUE(image->write_file("/boot/vmlinuz-6.1.0-10-amd64", kernel));
    ASSERT_TRUE(image->close());
  }
  std::string bytes(image_bytes, '\0');
  ASSERT_TRUE(memory->read(0, std::as_writable_bytes(std::span(bytes))));
  const auto seen = inspect(bytes);
  ASSERT_TRUE(seen) << error_text(seen.error());
  EXPECT_TRUE(seen->content.boot.kernel == kernel);
}

TEST_F(Damaged, NoBytesAtAllAreRefusedClearly) {
  for (const std::string& bytes :
       {std::string(image_bytes, '\0'), std::string(image_bytes, '\xff'), sound_.substr(0, 4096)}) {
    const auto seen = inspect(bytes);
    ASSERT_FALSE(seen);
    EXPECT_FALSE(seen.error().what.empty());
  }
}

// The same in this process, and what a clone of it would do: more cases in the time of the sealed ones.
TEST_F(Damaged, NeitherAnInspectionNorAClonesIdentityFails) {
  std::mt19937 random(12);        // NOLINT(cert-msc51-cpp): the same damage every time
  std::vector<std::size_t> used;  // blocks that hold something
  for (std::size_t at = 0; at < metadata_bytes; at += 4096) {
    if (sound_.find_first_not_of('\0', at) < at + 4096) {
      used.push_back(at);
    }
  }
  int refused = 0;
  for (int round = 0; round < 120; ++round) {
    const auto memory = memory_target(image_bytes);
    std::string bytes = sound_;
    if (round % 2 == 0) {
      bytes[1024 + 0x65] = static_cast<char>(bytes[1024 + 0x65] & ~0x04);
    }
    for (unsigned i = 0; i < 1 + random() % 50; ++i) {
      bytes[used[random() % used.size()] + random() % 4096] = static_cast<char>(random());
    }
    ASSERT_TRUE(memory->write(0, std::as_bytes(std::span(bytes))));
    const auto from = std::chrono::steady_clock::now();
    const bool seen = inspect_image(*memory).has_value();
    const auto cloned = clone_cost(*memory);
    refused += !seen || !cloned ? 1 : 0;
    if (!cloned) {
      EXPECT_FALSE(cloned.error().what.empty());
    }
    ASSERT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(10)) << round;
  }
  EXPECT_GT(refused, 10) << "the damage is none";
}

TEST_F(Damaged, WhateverIsDamagedTheAnswerComesSoon) {
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same damage every time
  for (int round = 0; round < 40; ++round) {
    std::string bytes = sound_;
    if (round % 2 == 0) {
      bytes[1024 + 0x65] = static_cast<char>(bytes[1024 + 0x65] & ~0x04);  // no checksums, which would refuse it all
    }
    for (unsigned i = 0; i < 1 + random() % 50; ++i) {
      const std::size_t at = 1024 + random() % metadata_bytes;
      bytes[at] = static_cast<char>(random());
    }
    const auto from = std::chrono::steady_clock::now();
    (void)inspect(bytes);
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(10)) << round;
  }
}

}  // namespace
}  // namespace domsmith
