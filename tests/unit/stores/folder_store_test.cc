// What a folder store adds to the contract: its files are plain, sparse, and survive whatever lies beside them.
#include "lvm-snapshots/folder_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "lvm-snapshots/volume_file.h"
#include "tests/unit/stores/scratch_filesystem.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FolderStoreTest : public ::testing::Test {
 protected:
  void put(const std::string& name, std::uint64_t offset, const std::string& bytes) {
    auto target = store_.open(name, Access::read_write);
    ASSERT_TRUE(ok(target));
    ASSERT_TRUE(ok((*target)->write(offset, std::as_bytes(std::span(bytes)))));
  }
  void make_golden(const std::string& name, std::uint64_t size, const std::string& bytes = "golden") {
    ASSERT_TRUE(ok(store_.create(name, size)));
    put(name, 0, bytes);
    ASSERT_TRUE(ok(store_.seal(name)));
  }
  static struct stat stat_of(const fs::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info;
  }
  [[nodiscard]] std::size_t files_in_work() const {
    std::error_code none;
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_ / "work", none), {}));
  }

  TemporaryDirectory folder_ = TemporaryDirectory::make().value();
  fs::path root_ = folder_.path() / "deep" / "store";
  FolderStore store_{root_};
};

TEST_F(FolderStoreTest, LookingMakesNothing) {
  EXPECT_TRUE(store_.list().value().empty());
  EXPECT_TRUE(fails(store_.find("x"), ErrorCode::not_found));
  EXPECT_GT(store_.status().value().size, 0U);
  EXPECT_TRUE(ok(store_.recover()));
  EXPECT_FALSE(fs::exists(root_));
}

TEST_F(FolderStoreTest, TheLayoutIsPlain) {
  ASSERT_TRUE(ok(store_.create("gold", 1 << 20)));
  EXPECT_EQ(stat_of(root_ / "staging/gold.img").st_mode & 0777U, 0600U);
  ASSERT_TRUE(ok(store_.seal("gold")));
  EXPECT_EQ(stat_of(root_ / "images/gold.img").st_mode & 0777U, 0444U);
  EXPECT_FALSE(fs::exists(root_ / "staging/gold.img"));
  ASSERT_TRUE(ok(store_.clone("gold", std::vector<std::string>{"web-1"})));
  EXPECT_EQ(stat_of(root_ / "clones/gold/web-1.img").st_mode & 0777U, 0600U);
  EXPECT_EQ(stat_of(root_ / "clones/gold/web-1.img").st_size, 1 << 20);
  EXPECT_EQ(store_.find("web-1")->device, (root_ / "clones/gold/web-1.img").string());
  EXPECT_EQ(files_in_work(), 0U);
  ASSERT_TRUE(ok(store_.remove(std::vector<std::string>{"web-1"})));
  EXPECT_FALSE(fs::exists(root_ / "clones/gold"));
}

TEST_F(FolderStoreTest, ACopiedStoreKeepsItsOrigins) {
  make_golden("gold", 1 << 20);
  ASSERT_TRUE(ok(store_.clone("gold", std::vector<std::string>{"web-1"})));
  fs::copy(root_, folder_.path() / "copy", fs::copy_options::recursive);
  FolderStore copy(folder_.path() / "copy");
  EXPECT_EQ(copy.find("web-1")->origin, "gold");
  EXPECT_TRUE(ok(copy.reset(std::vector<std::string>{"web-1"})));
}

TEST_F(FolderStoreTest, HolesStayHoles) {
  make_golden("gold", 64 << 20, std::string(100'000, 'x'));
  ASSERT_TRUE(ok(store_.clone("gold", std::vector<std::string>{"web-1"})));
  EXPECT_LT(stat_of(root_ / "clones/gold/web-1.img").st_blocks * 512, 400'000);
  EXPECT_EQ(stat_of(root_ / "clones/gold/web-1.img").st_size, 64 << 20);
}

TEST_F(FolderStoreTest, SealingGivesZeroBlocksBack) {
  ASSERT_TRUE(ok(store_.create("gold", 16 << 20)));
  put("gold", 0, std::string(8 << 20, '\0'));
  put("gold", 5 << 20, "data in the middle");
  ASSERT_TRUE(ok(store_.seal("gold")));
  EXPECT_LE(stat_of(root_ / "images/gold.img").st_blocks * 512, 256 << 10);
  std::string text(18, '?');
  ASSERT_TRUE(
      ok(store_.open("gold", Access::read_only).value()->read(5 << 20, std::as_writable_bytes(std::span(text)))));
  EXPECT_EQ(text, "data in the middle");
}

TEST_F(FolderStoreTest, SizesThatAreNoMultipleOfABlockAreKept) {
  const std::string end = "the very end";
  ASSERT_TRUE(ok(store_.create("odd", (1 << 20) + 77)));
  put("odd", (1 << 20) + 77 - end.size(), end);
  ASSERT_TRUE(ok(store_.seal("odd")));
  ASSERT_TRUE(ok(store_.clone("odd", std::vector<std::string>{"web-1"})));
  std::string text(end.size(), '?');
  const auto clone = store_.open("web-1", Access::read_only);
  ASSERT_TRUE(ok(clone));
  EXPECT_EQ((*clone)->size(), (1U << 20) + 77);
  ASSERT_TRUE(ok((*clone)->read((1 << 20) + 77 - end.size(), std::as_writable_bytes(std::span(text)))));
  EXPECT_EQ(text, end);
}

TEST_F(FolderStoreTest, WhatIsNotTheStoresIsLeftAlone) {
  make_golden("gold", 1 << 20);
  std::ofstream(root_ / "images" / "README") << "hello";
  std::ofstream(root_ / "images" / "NotAName.img") << "hello";
  fs::create_symlink("/etc/passwd", root_ / "images" / "link.img");
  fs::create_directories(root_ / "images" / "folder.img");
  EXPECT_EQ(store_.list().value().size(), 1U);
  EXPECT_TRUE(fails(store_.open("link", Access::read_only), ErrorCode::not_found));
  EXPECT_TRUE(ok(store_.remove(std::vector<std::string>{"link", "folder"})));
  EXPECT_TRUE(fs::is_symlink(root_ / "images" / "link.img"));
}

TEST_F(FolderStoreTest, AFileInThePlaceOfTheFolderIsBadInput) {
  fs::create_directories(root_.parent_path());
  std::ofstream(root_) << "a file";
  EXPECT_TRUE(fails(store_.list(), ErrorCode::bad_input));
  EXPECT_FALSE(store_.create("x", 4096));
}

TEST_F(FolderStoreTest, ActivationEndsWithTheBoot) {
  make_golden("gold", 1 << 20);
  ASSERT_TRUE(ok(store_.clone("gold", std::vector<std::string>{"web-1"})));
  ASSERT_TRUE(ok(store_.activate("web-1")));
  EXPECT_TRUE(store_.find("web-1")->active);
  std::ofstream(root_ / "active" / "web-1") << "00000000-0000-0000-0000-000000000000\n";
  EXPECT_FALSE(store_.find("web-1")->active);
  EXPECT_TRUE(ok(store_.remove(std::vector<std::string>{"web-1"})));
  EXPECT_FALSE(fs::exists(root_ / "active" / "web-1"));
}

TEST_F(FolderStoreTest, LeftoversOfDeadProcessesAreSwept) {
  make_golden("gold", 1 << 20);
  fs::create_directories(root_ / "work" / "dead");
  std::ofstream(root_ / "work" / "dead" / "web-1.img") << "half";
  EXPECT_EQ(store_.list().value().size(), 1U);
  EXPECT_TRUE(ok(store_.recover()));
  EXPECT_EQ(files_in_work(), 0U);
}

TEST_F(FolderStoreTest, AnErrorInTheMiddleLeavesNothing) {
  make_golden("gold", 1 << 20);
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  ASSERT_TRUE(ok(store_.clone("gold", std::vector<std::string>{"old"})));
  put("old", 0, "mine");
  for (const char* point : {"folder.copy.after=error", "folder.clone.visible=error"}) {
    ::setenv("DOMSMITH_FAIL", point, 1);
    EXPECT_FALSE(store_.clone("gold", names)) << point;
    ::unsetenv("DOMSMITH_FAIL");
    EXPECT_EQ(store_.list().value().size(), 2U) << point;
    EXPECT_EQ(files_in_work(), 0U) << point;
  }
  EXPECT_TRUE(ok(store_.clone("gold", names)));
  ::setenv("DOMSMITH_FAIL", "folder.remove.hidden=error", 1);
  EXPECT_FALSE(store_.remove(names));
  ::unsetenv("DOMSMITH_FAIL");
  EXPECT_EQ(store_.list().value().size(), 6U);
}

TEST_F(FolderStoreTest, AReadOnlyStoreCanBeRead) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  make_golden("gold", 1 << 20, "golden");
  for (const auto& path : {root_ / "images", root_}) {
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_exec);
  }
  fs::permissions(root_ / ".lock", fs::perms::owner_read);
  EXPECT_EQ(store_.list().value().size(), 1U);
  EXPECT_TRUE(ok(store_.open("gold", Access::read_only)));
  const auto refused = store_.create("x", 4096);
  EXPECT_TRUE(fails(refused, ErrorCode::denied));
  EXPECT_TRUE(fails(store_.remove(std::vector<std::string>{"gold"}), ErrorCode::denied));
  fs::permissions(root_, fs::perms::owner_all);
  fs::permissions(root_ / "images", fs::perms::owner_all);
}

TEST(FolderStoreSpace, AFullDiskIsNamedWithWhatIsNeeded) {
  auto small = ScratchFilesystem::make("tmpfs", 6 << 20);
  if (!small) {
    GTEST_SKIP() << error_text(small.error());
  }
  FolderStore store(small->path() / "store");
  ASSERT_TRUE(ok(store.create("gold", 4 << 20)));
  {
    auto target = store.open("gold", Access::read_write);
    ASSERT_TRUE(ok(target));
    const std::string data(2 << 20, 'x');
    ASSERT_TRUE(ok((*target)->write(0, std::as_bytes(std::span(data)))));
  }
  ASSERT_TRUE(ok(store.seal("gold")));
  const std::vector<std::string> names = {"a", "b", "c"};
  const auto refused = store.clone("gold", names);
  ASSERT_TRUE(fails(refused, ErrorCode::no_space));
  EXPECT_THAT(error_text(refused.error()), HasSubstr("3 clones need 6.0 MiB"));
  EXPECT_EQ(store.list().value().size(), 1U);
  EXPECT_TRUE(ok(store.clone("gold", std::span(names).first(1))));
}

TEST(FolderStoreSpace, RunningFullInTheMiddleLeavesNothing) {
  auto small = ScratchFilesystem::make("tmpfs", 6 << 20);
  if (!small) {
    GTEST_SKIP() << error_text(small.error());
  }
  const Fd from = open_fd((small->path() / "from").string(), O_RDWR | O_CREAT).value();
  const Fd to = open_fd((small->path() / "to").string(), O_RDWR | O_CREAT).value();
  const std::string data(4 << 20, 'x');
  ASSERT_TRUE(ok(write_all(from.get(), data)));
  EXPECT_TRUE(fails(copy_used(from.get(), to.get()), ErrorCode::no_space));
}

TEST(FolderStoreReflink, ClonesTakeNoSpaceOfTheirOwn) {
  for (const char* type : {"xfs", "btrfs"}) {
    auto filesystem = ScratchFilesystem::make(type, 400ULL << 20);
    if (!filesystem) {
      GTEST_SKIP() << error_text(filesystem.error());
    }
    FolderStore store(filesystem->path() / "store");
    EXPECT_EQ(store.status().value().method, "reflink");
    ASSERT_TRUE(ok(store.create("gold", 32 << 20)));
    {
      auto target = store.open("gold", Access::read_write);
      ASSERT_TRUE(ok(target));
      const std::string data(8 << 20, 'x');
      ASSERT_TRUE(ok((*target)->write(0, std::as_bytes(std::span(data)))));
    }
    ASSERT_TRUE(ok(store.seal("gold")));
    const auto before = store.status().value().free;
    std::vector<std::string> names;
    for (int i = 0; i < 20; ++i) {
      names.push_back("web-" + std::to_string(i));
    }
    ASSERT_TRUE(ok(store.clone("gold", names)));
    EXPECT_LT(before - store.status().value().free, 20U << 20) << type;
    EXPECT_LT(store.find("web-7").value().used, 1U << 20) << type;
  }
}

}  // namespace domsmith::testing
