#include "provision/registry/xen_configs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

XenConfigs scan(std::string_view text) {
  XenConfigs configs;
  scan_xen_config_text(text, "f", configs);
  return configs;
}

TEST(XenConfigText, TheUsualForm) {
  const auto found = scan(
      "name = \"web\"\n"
      "memory = 256\n"
      "vif = [ 'mac=00:16:3E:12:34:56,bridge=xenbr0', \"bridge=xenbr1, mac=00:16:3e:00:00:02\" ]\n");
  EXPECT_THAT(found.names, ElementsAre(Pair("web", "f")));
  EXPECT_THAT(found.macs, ElementsAre(Pair("00:16:3e:00:00:02", "f"), Pair("00:16:3e:12:34:56", "f")));
}

TEST(XenConfigText, WhatPeopleWrite) {
  EXPECT_THAT(scan("name='a'; memory=1\n").names, ElementsAre(Pair("a", "f")));
  EXPECT_THAT(scan("memory=1;name=\"b\"").names, ElementsAre(Pair("b", "f")));
  EXPECT_THAT(scan("  name\t=\tc  # mine\r\n").names, ElementsAre(Pair("c", "f")));
  EXPECT_THAT(scan("NAME = \"d\"").names, ElementsAre(Pair("d", "f")));
  EXPECT_THAT(scan("vif = [\n  'type=vif,\n   MAC = 0:16:3e:1:2:3' ]").macs,
              ElementsAre(Pair("00:16:3e:01:02:03", "f")));
  EXPECT_THAT(scan("vif = [ \"mac='00:16:3e:01:02:03'\" ]").macs, SizeIs(1));
}

TEST(XenConfigText, WhatIsNoMatch) {
  const auto found = scan(
      "# name = \"x\"\n"
      "#vif = [ 'mac=00:16:3e:00:00:01' ]\n"
      "vifname = \"y\"\n"
      "hostname = \"z\"\n"
      "name = \n"
      "name\n"
      "vif = [ 'mac=random', 'mac=', 'hmac=00:16:3e:00:00:01', 'mac=00:16:3e:00:00' ]\n"
      "extra = \"root=/dev/xvda # name = 'q'\"\n"
      "mac");
  EXPECT_THAT(found.names, IsEmpty());
  EXPECT_THAT(found.macs, IsEmpty());
}

TEST(XenConfigText, BrokenFilesDoNotStopIt) {
  const auto found = scan("name = \"unclosed\nvif = [ 'mac=00:16:3e:00:00:01\n\x01\xff)]}'\nname=\"second\"\n");
  EXPECT_THAT(found.macs, SizeIs(1));
  EXPECT_THAT(found.names, UnorderedElementsAre(Pair("unclosed", "f"), Pair("second", "f")));
  EXPECT_THAT(scan(std::string(100'000, '=')).names, IsEmpty());
  EXPECT_THAT(scan(std::string("\0\0mac=00:16:3e:00:00:01", 23)).macs, SizeIs(1));
}

// Whatever the bytes are: it ends, and what it finds has the right form.
TEST(XenConfigText, AnyBytes) {
  const std::string_view pieces[] = {"name", "mac", "=", " ", "\"", "'", "#", ";", "\n", "00:16:3e:01:02:03",
                                     ":",    "[",   ",", "x"};
  const auto random = seeded_random(11);
  for (int round = 0; round < 5000; ++round) {
    std::array<std::byte, 40> choice{};
    random->fill(choice);
    std::string text;
    for (const auto byte : choice) {
      const auto number = std::to_integer<unsigned char>(byte);
      text +=
          number < 224 ? std::string(pieces[number % std::size(pieces)]) : std::string(1, static_cast<char>(number));
    }
    const auto found = scan(text);
    for (const auto& [mac, file] : found.macs) {
      EXPECT_EQ(mac, "00:16:3e:01:02:03") << text;
    }
    EXPECT_FALSE(found.names.contains("")) << text;
  }
}

class XenConfigFiles : public testing::Test {
 protected:
  XenConfigFiles() : directory_(value_of(TemporaryDirectory::make())) {}
  void write(const std::string& name, const std::string& text) const {
    value_of(write_file_atomic(directory_.path() / name, text));
  }
  [[nodiscard]] XenConfigs scan_all() const { return scan_xen_configs(directory_.path()); }
  TemporaryDirectory directory_;
};

TEST_F(XenConfigFiles, CfgAndAuto) {
  write("a.cfg", "name='a'\nvif=['mac=00:16:3e:00:00:01']\n");
  write("auto/b", "name='b'\n");
  write("xl.conf", "name='no'\n");
  ASSERT_EQ(symlink("../a.cfg", (directory_.path() / "auto" / "a.cfg").c_str()), 0);
  const auto found = scan_all();
  EXPECT_THAT(found.warnings, IsEmpty());
  EXPECT_THAT(found.names, ElementsAre(Pair("a", (directory_.path() / "a.cfg").string()),
                                       Pair("b", (directory_.path() / "auto/b").string())));
}

TEST_F(XenConfigFiles, AbsentFolderTakesNothing) {
  const auto found = scan_xen_configs(directory_.path() / "none");
  EXPECT_THAT(found.names, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST_F(XenConfigFiles, WhatCannotBeReadIsAWarning) {
  write("a.cfg", "name='a'\n");
  write("big.cfg", std::string(3U << 20, ' '));
  std::filesystem::create_directory(directory_.path() / "folder.cfg");
  std::filesystem::create_directory(directory_.path() / "auto");
  ASSERT_EQ(mkfifo((directory_.path() / "fifo.cfg").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/nowhere/at/all", (directory_.path() / "auto" / "gone").c_str()), 0);
  const auto found = scan_all();
  EXPECT_THAT(found.names, SizeIs(1));
  EXPECT_THAT(found.warnings,
              UnorderedElementsAre(HasSubstr("big.cfg"), HasSubstr("fifo.cfg"), HasSubstr("auto/gone")));
}

TEST_F(XenConfigFiles, UnreadableFile) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root reads every file";
  }
  write("a.cfg", "name='a'\n");
  ASSERT_EQ(chmod((directory_.path() / "a.cfg").c_str(), 0), 0);
  EXPECT_THAT(scan_all().warnings, ElementsAre(HasSubstr("a.cfg")));
}

}  // namespace
}  // namespace domsmith
