#include "lvm-snapshots/sparse_pages.h"

#include <gtest/gtest.h>

#include <string>

namespace domsmith::testing {

namespace {

constexpr std::uint64_t size = 1 << 20;

void put(SparsePages& pages, std::uint64_t offset, const std::string& text) {
  pages.write(offset, std::as_bytes(std::span(text)));
}

std::string get(const SparsePages& pages, std::uint64_t offset, std::size_t count) {
  std::string text(count, '?');
  pages.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::shared_ptr<SparsePages> with(std::uint64_t offset, const std::string& text) {
  auto pages = std::make_shared<SparsePages>();
  put(*pages, offset, text);
  return pages;
}

}  // namespace

TEST(SparsePages, OverItsBase) {
  const auto base = with(4000, std::string(200, 'b'));
  SparsePages clone(base);
  put(clone, 4096, "mine");
  EXPECT_EQ(get(clone, 4094, 8), "bbminebb");
  EXPECT_EQ(get(*base, 4094, 8), "bbbbbbbb");
  EXPECT_EQ(clone.own_bytes(), SparsePages::page_size);
}

TEST(SparsePages, AHoleOverTheBaseReadsAsZeroes) {
  const auto base = with(0, std::string(3 * 4096, 'b'));
  SparsePages clone(base);
  clone.discard(100, 2 * 4096);
  EXPECT_EQ(get(clone, 99, 2), std::string("b\0", 2));
  EXPECT_EQ(get(clone, 5000, 2), std::string("\0\0", 2));
  EXPECT_EQ(get(clone, 100 + 2 * 4096 - 1, 2), std::string("\0b", 2));
  put(clone, 4096, "x");
  EXPECT_EQ(get(clone, 4096, 2), std::string("x\0", 2));
}

TEST(SparsePages, NextDataSeesBothLayersAndTheHoles) {
  const auto base = with(4096, std::string(2 * 4096, 'b'));
  SparsePages clone(base);
  EXPECT_EQ(clone.next_data(0, size)->offset, 4096U);
  EXPECT_EQ(clone.next_data(0, size)->length, 2 * 4096U);
  clone.discard(4096, 4096);
  EXPECT_EQ(clone.next_data(0, size)->offset, 8192U);
  put(clone, 10 * 4096, "x");
  EXPECT_EQ(clone.next_data(3 * 4096, size)->offset, 10 * 4096U);
  EXPECT_EQ(clone.next_data(10 * 4096 + 5, size)->offset, 10 * 4096U + 5);
  EXPECT_FALSE(clone.next_data(11 * 4096, size));
}

TEST(SparsePages, TheLastRangeEndsWithTheVolume) {
  SparsePages pages;
  put(pages, 4096, "x");
  EXPECT_EQ(pages.next_data(0, 5000)->length, 904U);
  EXPECT_FALSE(pages.next_data(0, 4096));
}

}  // namespace domsmith::testing
