// A folder of configs that is read from memory: nothing that somebody else's config holds is ever overlooked.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "provision/registry/xen_configs.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::SizeIs;

constexpr std::size_t many = 40;  // worth a file

std::string config(const std::string& name, unsigned mac) {
  return fmt::format("name = \"{}\"\nvif = [ 'mac=00:16:3e:00:{:02x}:{:02x}' ]\n", name, mac >> 8, mac & 0xff);
}

class ConfigMemoryFiles : public testing::Test {
 protected:
  ConfigMemoryFiles() : directory_(value_of(TemporaryDirectory::make())) {
    std::filesystem::create_directories(xen() / "auto");
    for (unsigned i = 0; i < many; ++i) {
      put(fmt::format("g{}.cfg", i), config(fmt::format("g{}", i), i));
    }
  }
  [[nodiscard]] std::filesystem::path xen() const { return directory_.path() / "xen"; }
  [[nodiscard]] std::filesystem::path memory() const { return directory_.path() / "memory"; }
  void put(const std::string& name, const std::string& text) const {
    value_of(write_file_unflushed(xen() / name, text));
  }
  // The file stays the same one.
  void put_into(const std::string& name, const std::string& text) const {
    const Fd fd = value_of(open_fd((xen() / name).string(), O_WRONLY | O_TRUNC));
    value_of(write_all(fd.get(), text));
  }
  [[nodiscard]] XenConfigs scan() const { return scan_xen_configs(xen(), memory()); }
  // Until all of them have rested long enough to be remembered.
  void rest() const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (scan().files_read > 0 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(scan().files_read, 0);
  }
  TemporaryDirectory directory_;
};

TEST_F(ConfigMemoryFiles, WhatIsUnchangedIsNotRead) {
  const XenConfigs first = scan();
  EXPECT_EQ(first.files_read, many);
  rest();
  const XenConfigs again = scan();
  EXPECT_EQ(again.names, first.names);
  EXPECT_EQ(again.macs, first.macs);
  EXPECT_THAT(again.macs, SizeIs(many));
}

TEST_F(ConfigMemoryFiles, WithoutMemoryAllAreRead) {
  rest();
  EXPECT_EQ(scan_xen_configs(xen()).files_read, many);
}

TEST_F(ConfigMemoryFiles, ChangedInPlaceWithTheSameLength) {
  rest();
  put_into("g7.cfg", config("h7", 0x707));
  const XenConfigs found = scan();
  EXPECT_EQ(found.files_read, 1);
  EXPECT_THAT(found.names, Contains(Key("h7")));
  EXPECT_THAT(found.names, Not(Contains(Key("g7"))));
  EXPECT_THAT(found.macs, Contains(Key("00:16:3e:00:07:07")));
}

// Its owner can set an mtime back, and nobody a ctime.
TEST_F(ConfigMemoryFiles, ChangedInPlaceWithTheOldMtime) {
  rest();
  struct stat before{};
  ASSERT_EQ(stat((xen() / "g7.cfg").c_str(), &before), 0);
  put_into("g7.cfg", config("h7", 0x707));
  const std::array times = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, (xen() / "g7.cfg").c_str(), times.data(), 0), 0);
  EXPECT_THAT(scan().macs, Contains(Key("00:16:3e:00:07:07")));
}

// As many changes as fit into a tick of the kernel's clock leave the same times.
TEST_F(ConfigMemoryFiles, ChangedWithinATick) {
  std::size_t same_times = 0;
  for (unsigned round = 0; round < 300; ++round) {
    put_into("g7.cfg", config("g7", round));
    struct stat before{}, after{};
    ASSERT_EQ(stat((xen() / "g7.cfg").c_str(), &before), 0);
    ASSERT_THAT(scan().names, Contains(Key("g7")));
    put_into("g7.cfg", config("h7", 0x700 + round));
    ASSERT_EQ(stat((xen() / "g7.cfg").c_str(), &after), 0);
    same_times += before.st_ctim.tv_sec == after.st_ctim.tv_sec && before.st_ctim.tv_nsec == after.st_ctim.tv_nsec;
    const XenConfigs found = scan();
    ASSERT_THAT(found.names, Contains(Key("h7"))) << round;
    ASSERT_THAT(found.macs,
                Contains(Key(fmt::format("00:16:3e:00:{:02x}:{:02x}", (0x700 + round) >> 8, round & 0xff))));
  }
  RecordProperty("rounds_with_the_same_times", static_cast<int>(same_times));
}

TEST_F(ConfigMemoryFiles, ReplacedAddedGone) {
  rest();
  put("g7.cfg", config("h7", 0x707));  // another inode
  put("new.cfg", config("new", 0x900));
  std::filesystem::remove(xen() / "g8.cfg");
  std::filesystem::rename(xen() / "g9.cfg", xen() / "g10.cfg");
  const XenConfigs found = scan();
  EXPECT_THAT(found.names, Contains(Key("h7")));
  EXPECT_THAT(found.names, Contains(Key("new")));
  EXPECT_THAT(found.names, Not(Contains(Key("g8"))));
  EXPECT_THAT(found.names, Not(Contains(Key("g10"))));
  EXPECT_EQ(found.names.at("g9"), (xen() / "g10.cfg").string());
  EXPECT_THAT(found.macs, SizeIs(many - 1));
}

TEST_F(ConfigMemoryFiles, ALinkInAutoIsWhatItPointsTo) {
  put("elsewhere", config("far", 0xa00));
  ASSERT_EQ(symlink("../elsewhere", (xen() / "auto/x").c_str()), 0);
  rest();
  EXPECT_EQ(scan().names.at("far"), (xen() / "auto/x").string());
  put_into("elsewhere", config("fat", 0xa01));
  EXPECT_THAT(scan().names, Contains(Key("fat")));
  put("third", config("third", 0xa02));
  std::filesystem::remove(xen() / "auto/x");
  ASSERT_EQ(symlink("../third", (xen() / "auto/x").c_str()), 0);
  EXPECT_THAT(scan().names, Contains(Key("third")));
}

TEST_F(ConfigMemoryFiles, ATornFileIsAsIfThereWereNone) {
  rest();
  const std::string good = value_of(read_file(memory()));
  const XenConfigs right = scan_xen_configs(xen());
  for (std::size_t length = 0; length < good.size(); length += 37) {
    value_of(write_file_unflushed(memory(), good.substr(0, length), 0600));
    const XenConfigs found = scan();
    ASSERT_EQ(found.files_read, many) << length;
    ASSERT_EQ(found.macs, right.macs) << length;
  }
  const auto random = seeded_random(5);
  for (std::size_t at = 0; at < good.size(); at += 11) {
    std::string bad = good;
    std::array<std::byte, 1> flip{};
    random->fill(flip);
    bad[at] = static_cast<char>(bad[at] ^ (std::to_integer<int>(flip[0]) | 1));
    value_of(write_file_unflushed(memory(), bad, 0600));
    const XenConfigs found = scan();
    ASSERT_EQ(found.macs, right.macs) << at;
    ASSERT_EQ(found.names, right.names) << at;
  }
}

TEST_F(ConfigMemoryFiles, OnlyItsOwnersFileIsBelieved) {
  rest();
  ASSERT_EQ(chmod(memory().c_str(), 0620), 0);
  EXPECT_EQ(scan().files_read, many);
  rest();
  std::filesystem::rename(memory(), directory_.path() / "other");
  ASSERT_EQ(symlink("other", memory().c_str()), 0);
  EXPECT_EQ(scan().files_read, many);
  std::filesystem::remove(memory());
  std::filesystem::create_directory(memory());
  EXPECT_EQ(scan().files_read, many);
  std::filesystem::remove(memory());
  rest();
  if (geteuid() == 0) {
    ASSERT_EQ(chown(memory().c_str(), 1, 1), 0);
    EXPECT_EQ(scan().files_read, many);
  }
}

TEST_F(ConfigMemoryFiles, WhatWasJustWrittenIsRemembered) {
  rest();
  std::vector<std::string> names;
  for (unsigned i = 0; i < many; ++i) {
    names.push_back(fmt::format("n{}", i));
    put(names.back() + ".cfg", config(names.back(), 0x100 + i));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // what takes longer is only read once more
  remember_xen_configs(xen(), memory(), names);
  const XenConfigs found = scan();
  EXPECT_EQ(found.files_read, 0);
  EXPECT_THAT(found.macs, SizeIs(2 * many));
  put_into("n3.cfg", config("m3", 0x200));
  EXPECT_THAT(scan().names, Contains(Key("m3")));
}

TEST_F(ConfigMemoryFiles, OneForWhichThereIsNoPlace) {
  EXPECT_EQ(scan_xen_configs(xen(), directory_.path() / "xen/g1.cfg/memory").names.size(), many);
  EXPECT_THAT(scan_xen_configs(directory_.path() / "none", memory()).warnings, IsEmpty());
  remember_xen_configs(directory_.path() / "none", memory(), std::vector<std::string>(many, "x"));
  EXPECT_FALSE(std::filesystem::exists(memory()));
}

}  // namespace
}  // namespace domsmith
