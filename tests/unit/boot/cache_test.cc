#include "imagebuild/boot/cache.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"

namespace domsmith::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BootFiles files(const std::string& kernel, const std::string& initrd) {
  BootFiles out;
  out.kernel = kernel;
  out.kernel_sha256 = sha256_hex(kernel);
  out.initrd = initrd;
  out.initrd_sha256 = sha256_hex(initrd);
  return out;
}

class BootCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    directory_ = folder_->path() / "boot";
  }
  static ino_t inode(const std::filesystem::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_ino;
  }
  std::optional<TemporaryDirectory> folder_;
  std::filesystem::path directory_;
};

TEST_F(BootCacheTest, NamesSayWhatTheBytesAre) {
  const BootCache cache(directory_);
  const auto stored = cache.put(files("kernel", "initrd"));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->kernel, directory_ / ("kernel-" + sha256_hex("kernel")));
  EXPECT_EQ(read_file(stored->kernel), "kernel");
  EXPECT_EQ(read_file(stored->initrd), "initrd");
}

TEST_F(BootCacheTest, PuttingAgainChangesNothing) {
  const BootCache cache(directory_);
  const auto first = cache.put(files("kernel", "a"));
  ASSERT_TRUE(first);
  const ino_t before = inode(first->kernel);
  ASSERT_TRUE(cache.put(files("kernel", "b")));
  EXPECT_EQ(inode(first->kernel), before);
}

TEST_F(BootCacheTest, ADamagedFileIsReplaced) {
  const BootCache cache(directory_);
  const auto stored = cache.put(files("kernel", "initrd"));
  ASSERT_TRUE(stored);
  ASSERT_TRUE(write_file_atomic(stored->kernel, "damage"));  // as many bytes
  ASSERT_TRUE(cache.put(files("kernel", "initrd")));
  EXPECT_EQ(read_file(stored->kernel), "kernel");
}

TEST_F(BootCacheTest, RemovesOnlyWhatNobodyNeedsAndOnlyItsOwn) {
  const BootCache cache(directory_);
  ASSERT_TRUE(cache.put(files("k1", "i1")));
  ASSERT_TRUE(cache.put(files("k2", "i1")));
  ASSERT_TRUE(write_file_atomic(directory_ / "kernel-mine", "x"));
  ASSERT_TRUE(write_file_atomic(directory_ / "README", "x"));
  const auto removed = cache.remove_unreferenced({sha256_hex("k2"), sha256_hex("i1")});
  ASSERT_TRUE(removed);
  EXPECT_THAT(*removed, ElementsAre("kernel-" + sha256_hex("k1")));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "kernel-mine"));
  EXPECT_TRUE(std::filesystem::exists(cache.initrd_path(sha256_hex("i1"))));
  const auto again = cache.remove_unreferenced({sha256_hex("k2"), sha256_hex("i1")});
  ASSERT_TRUE(again);
  EXPECT_THAT(*again, IsEmpty());
}

TEST_F(BootCacheTest, AbsentFolderHoldsNothing) {
  const auto removed = BootCache(directory_ / "none").remove_unreferenced({});
  ASSERT_TRUE(removed);
  EXPECT_THAT(*removed, IsEmpty());
}

}  // namespace
}  // namespace domsmith::boot
