#include "provision/domain/config_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "sample_spec.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigDir : public ::testing::Test {
 protected:
  void SetUp() override { directory = temporary.path() / "xen"; }

  DomainSpec spec(const std::string& name, char digit = '1') const {
    auto made = sample_spec();
    made.name = name;
    made.uuid.back() = digit;
    return made;
  }
  std::vector<DomainSpec> batch(std::size_t count) const {
    std::vector<DomainSpec> specs;
    for (std::size_t i = 0; i < count; ++i) {
      specs.push_back(spec("g" + std::to_string(i)));
      specs.back().autostart = i % 3 == 0;
    }
    return specs;
  }
  // The wait status of a child that puts the batch with that fail point set. (Passes are counted by the process.)
  int put_in_child(const std::vector<DomainSpec>& specs, const char* point) const {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("DOMSMITH_FAIL", point, 1);
      ::_exit(put_configs(directory, specs).has_value() ? 0 : 1);
    }
    int status = -1;
    return ::waitpid(child, &status, 0) == child ? status : -1;
  }
  // Every name below the folder with its bytes, or its target.
  std::map<std::string, std::string> tree() const {
    std::map<std::string, std::string> names;
    if (!fs::exists(directory)) {
      return names;
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      const auto name = fs::relative(entry.path().parent_path(), directory) / entry.path().filename();
      if (entry.is_symlink()) {
        names[name.string()] = "-> " + fs::read_symlink(entry.path()).string();
      } else if (entry.is_regular_file()) {
        names[name.string()] = read_file(entry.path()).value();
      }
    }
    return names;
  }

  TemporaryDirectory temporary = TemporaryDirectory::make().value();
  fs::path directory;
};

TEST_F(ConfigDir, PutReadRemove) {
  auto guest = spec("web-1");
  guest.autostart = true;
  ASSERT_TRUE(put_config(directory, guest).has_value());
  EXPECT_EQ(read_config(directory, "web-1").value(), guest);
  EXPECT_EQ(read_config_text(directory, "web-1").value(), xl_config_text(guest));
  EXPECT_EQ(fs::read_symlink(directory / "auto/web-1.cfg"), "../web-1.cfg");
  EXPECT_EQ(fs::status(directory / "web-1.cfg").permissions(), fs::perms(0644));
  ASSERT_TRUE(remove_config(directory, "web-1", guest.uuid).has_value());
  EXPECT_THAT(tree(), IsEmpty());
  EXPECT_TRUE(remove_config(directory, "web-1").has_value()) << "an absent one is fine";
  EXPECT_EQ(read_config(directory, "web-1").error().code, ErrorCode::not_found);
}

TEST_F(ConfigDir, TheSameGuestsFileIsReplaced) {
  auto guest = spec("web-1");
  guest.autostart = true;
  ASSERT_TRUE(put_config(directory, guest).has_value());
  guest.memory_mib = 64;
  guest.autostart = false;
  ASSERT_TRUE(put_config(directory, guest).has_value());
  EXPECT_EQ(read_config(directory, "web-1").value(), guest);
  EXPECT_EQ(tree().size(), 1U);
}

TEST_F(ConfigDir, OthersFilesAreNeverTouched) {
  ASSERT_TRUE(write_file_atomic(directory / "web-1.cfg", "name = 'mine'\n").has_value());
  ASSERT_TRUE(put_config(directory, spec("web-2")).has_value());
  fs::create_directories(directory / "auto");
  fs::create_symlink("/srv/web-3.cfg", directory / "auto/web-3.cfg");
  const auto before = tree();

  EXPECT_EQ(put_config(directory, spec("web-1")).error().code, ErrorCode::exists);
  EXPECT_EQ(put_config(directory, spec("web-2", '2')).error().code, ErrorCode::exists) << "another guest's UUID";
  auto third = spec("web-3");
  third.autostart = true;
  EXPECT_EQ(put_config(directory, third).error().code, ErrorCode::exists) << "the link leads elsewhere";
  EXPECT_EQ(tree(), before);

  EXPECT_TRUE(remove_config(directory, "web-1").has_value());
  EXPECT_TRUE(remove_config(directory, "web-2", spec("web-2", '2').uuid).has_value());
  EXPECT_TRUE(remove_config(directory, "web-3").has_value());
  EXPECT_EQ(tree(), before) << "an undo takes nothing that is not its own";
}

TEST_F(ConfigDir, AFileWhoseFirstLineIsGoneIsItsEditors) {
  ASSERT_TRUE(put_config(directory, spec("web-1")).has_value());
  const auto text = read_config_text(directory, "web-1").value();
  ASSERT_TRUE(write_file_atomic(directory / "web-1.cfg", text.substr(text.find('\n') + 1)).has_value());
  EXPECT_EQ(put_config(directory, spec("web-1")).error().code, ErrorCode::exists);
  EXPECT_TRUE(read_config(directory, "web-1").has_value()) << "it still can be read and started";
}

TEST_F(ConfigDir, AFileThatNamesAnotherDomainIsNotThatGuests) {
  ASSERT_TRUE(write_file_atomic(directory / "web-2.cfg", xl_config_text(spec("web-1"))).has_value());
  EXPECT_THAT(read_config(directory, "web-2").error().what, HasSubstr("is the config of a domain called 'web-1'"));
}

TEST_F(ConfigDir, ABatchIsAllOrNothing) {
  ASSERT_TRUE(write_file_atomic(directory / "g17.cfg", "name = 'mine'\n").has_value());
  const auto before = tree();
  const auto specs = batch(20);
  const auto result = put_configs(directory, specs);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::exists);
  EXPECT_THAT(result.error().what, HasSubstr("g17.cfg"));
  EXPECT_EQ(tree(), before);
}

TEST_F(ConfigDir, ABatchThatFailsHalfWayIsUndone) {
  const auto specs = batch(20);
  auto replaced = specs[4];
  replaced.memory_mib = 32;
  replaced.autostart = true;
  ASSERT_TRUE(put_config(directory, replaced).has_value());
  const auto before = tree();
  for (const auto* point : {"put_configs.staged=error", "put_configs.publish:1=error", "put_configs.publish:11=error",
                            "put_configs.publish:20=error", "put_configs.linked=error"}) {
    const int status = put_in_child(specs, point);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << point;
    EXPECT_EQ(tree(), before) << point;
  }
}

TEST_F(ConfigDir, AGuestTwiceInABatch) {
  const std::vector<DomainSpec> specs{spec("a"), spec("a")};
  EXPECT_EQ(put_configs(directory, specs).error().code, ErrorCode::bad_input);
  EXPECT_THAT(tree(), IsEmpty());
}

// A process that dies at any point leaves only what remove_configs() takes away.
TEST_F(ConfigDir, WhatACrashLeavesIsRemoved) {
  const auto specs = batch(12);
  std::vector<ConfigOwner> owners;
  for (const auto& one : specs) {
    owners.push_back({.name = one.name, .uuid = one.uuid});
  }
  for (const auto* point :
       {"put_configs.staged", "put_configs.publish:1", "put_configs.publish:7", "put_configs.linked"}) {
    const int status = put_in_child(specs, point);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
    ASSERT_TRUE(remove_configs(directory, owners).has_value());
    EXPECT_THAT(tree(), IsEmpty()) << point;
  }
}

TEST_F(ConfigDir, AThousandInOneBatch) {
  const auto specs = batch(1000);
  ASSERT_TRUE(put_configs(directory, specs).has_value());
  EXPECT_EQ(tree().size(), 1334U);
  EXPECT_EQ(scan_configs(directory).value().size(), 1000U);
  std::vector<std::string> names;
  for (const auto& one : specs) {
    names.push_back(one.name);
  }
  ASSERT_TRUE(remove_configs(directory, names).has_value());
  EXPECT_THAT(tree(), IsEmpty());
}

TEST_F(ConfigDir, AutostartAlone) {
  ASSERT_TRUE(put_config(directory, spec("web-1")).has_value());
  ASSERT_TRUE(set_autostart(directory, "web-1", true).has_value());
  ASSERT_TRUE(set_autostart(directory, "web-1", true).has_value());
  EXPECT_TRUE(read_config(directory, "web-1").value().autostart);
  ASSERT_TRUE(set_autostart(directory, "web-1", false).has_value());
  EXPECT_FALSE(read_config(directory, "web-1").value().autostart);
  EXPECT_EQ(set_autostart(directory, "web-2", true).error().code, ErrorCode::not_found);
}

TEST_F(ConfigDir, ScanFindsEverybodysMacs) {
  ASSERT_TRUE(put_config(directory, spec("a")).has_value());
  ASSERT_TRUE(write_file_atomic(directory / "b.cfg", "name = 'b'\nvif = [ 'mac=00:16:3e:00:00:0b' ]\n").has_value());
  ASSERT_TRUE(write_file_atomic(directory / "broken.cfg", "import os\n").has_value());
  ASSERT_TRUE(write_file_atomic(directory / "notes.txt", "vif = [ 'mac=00:16:3e:00:00:0c' ]\n").has_value());
  ASSERT_TRUE(write_file_atomic(directory / "auto/d.cfg", "vif = [ 'mac=00:16:3e:00:00:0d' ]\n").has_value());
  ASSERT_TRUE(set_autostart(directory, "a", true).has_value());
  const auto facts = scan_configs(directory).value();
  ASSERT_EQ(facts.size(), 3U);
  EXPECT_EQ(facts[0].macs, std::vector<std::string>{"00:16:3e:01:02:03"});
  EXPECT_EQ(facts[1].macs, std::vector<std::string>{"00:16:3e:00:00:0b"});
  EXPECT_EQ(facts[2].macs, std::vector<std::string>{"00:16:3e:00:00:0d"});
  EXPECT_THAT(scan_configs(directory / "absent").value(), IsEmpty());
}

TEST_F(ConfigDir, NamesNeverLeadOutOfTheFolder) {
  ASSERT_TRUE(write_file_atomic(temporary.path() / "x.cfg", "# Written by domsmith.\n").has_value());
  EXPECT_FALSE(remove_config(directory, "../x").has_value());
  EXPECT_FALSE(read_config(directory, "../x").has_value());
  EXPECT_FALSE(set_autostart(directory, "../x", true).has_value());
  EXPECT_TRUE(fs::exists(temporary.path() / "x.cfg"));
}

TEST_F(ConfigDir, AFolderInTheWayIsAnError) {
  fs::create_directories(directory / "web-1.cfg");
  EXPECT_FALSE(put_config(directory, spec("web-1")).has_value());
  EXPECT_FALSE(remove_config(directory, "web-1").has_value());
  EXPECT_TRUE(fs::is_directory(directory / "web-1.cfg"));
}

}  // namespace
}  // namespace domsmith
