// A slot as a file: what is kept of the last one.
#include "hypervisor/system/slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/process.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

ReadySlot small_slot(const std::string& content) {
  ReadySlot slot{.tree = {}, .kernel = "vmlinux", .initramfs = "cpio", .facts = {}};
  put_file(slot.tree, "/usr/bin/x", content, 0755);
  return slot;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

class Slot : public testing::Test {
 protected:
  void SetUp() override {
    if (!find_program("mksquashfs")) {
      GTEST_SKIP() << "no mksquashfs(1)";
    }
  }
  fs::path file(const char* name) { return folder_.path() / name; }
  TemporaryDirectory folder_ = TemporaryDirectory::make().value();
};

TEST_F(Slot, TheSameIsNotPackedTwice) {
  const auto first = write_slot(small_slot("a"), file("1"), file("kept"));
  ASSERT_TRUE(first) << first.error().what;
  const auto names = names_in(file("kept"));
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(sha256_of_file(file("kept") / names[0]).value(), first->sha256);
  // A mark shows where the next one comes from.
  ASSERT_TRUE(write_file_atomic(file("kept") / names[0], "kept"));
  ASSERT_TRUE(write_slot(small_slot("a"), file("2"), file("kept")));
  EXPECT_EQ(read_file(file("2")).value(), "kept");
  const auto anew = write_slot(small_slot("a"), file("3"), "");
  ASSERT_TRUE(anew);
  EXPECT_EQ(anew->sha256, first->sha256);
}

TEST_F(Slot, AnotherOneTakesItsPlace) {
  ASSERT_TRUE(write_slot(small_slot("a"), file("1"), file("kept")));
  const auto before = names_in(file("kept"));
  const auto other = write_slot(small_slot("b"), file("2"), file("kept"));
  ASSERT_TRUE(other);
  EXPECT_NE(other->sha256, sha256_of_file(file("1")).value());
  EXPECT_EQ(names_in(file("kept")).size(), 1U);
  EXPECT_NE(names_in(file("kept")), before);
  ReadySlot kernel = small_slot("b");
  kernel.kernel = "another";
  EXPECT_NE(write_slot(std::move(kernel), file("3"), file("kept")).value().sha256, other->sha256);
}

}  // namespace
}  // namespace domsmith
