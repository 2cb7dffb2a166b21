#include "provision/domain/xl_settings.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace domsmith {
namespace {

class XlSettingsTest : public ::testing::Test {
 protected:
  Result<XlSettings> read(const std::string& text) const {
    EXPECT_TRUE(write_file_atomic(temporary.path() / "xl.conf", text).has_value());
    return read_xl_settings(temporary.path() / "xl.conf");
  }
  TemporaryDirectory temporary = TemporaryDirectory::make().value();
};

TEST_F(XlSettingsTest, WhatXlWouldHeed) {
  const auto settings =
      read("autoballoon=\"off\"\nvif.default.bridge=\"br1\"\nvif.default.script=\"vif-mine\"\n").value();
  EXPECT_EQ(settings.vif_bridge, "br1");
  EXPECT_EQ(settings.vif_script, "vif-mine");
  EXPECT_EQ(settings.autoballoon, false);
  EXPECT_EQ(read("autoballoon=1\n").value().autoballoon, true);
  EXPECT_EQ(read("autoballoon=\"auto\"\n").value().autoballoon, std::nullopt);
}

TEST_F(XlSettingsTest, ListsOfCpus) {
  EXPECT_EQ(parse_cpu_list("0-3,5,^2").value(), (CpuSet{0, 1, 3, 5}));
  EXPECT_EQ(parse_cpu_list("7").value(), CpuSet{7});
  EXPECT_EQ(parse_cpu_list("all,^0-4094").value(), CpuSet{4095});
  for (const char* text : {"a", "3-1", "1-", "-1", "1 2", "nodes:0", "^", "4096", "1,,2"}) {
    EXPECT_FALSE(parse_cpu_list(text).has_value()) << text;
  }
}

TEST_F(XlSettingsTest, BothMasksCount) {
  const auto settings = read("vm.cpumask = \"1-3\"\nvm.hvm.cpumask = \"3-8\"\n").value();
  EXPECT_EQ(settings.cpus_for(DomainType::pvh), CpuSet{3});
  EXPECT_EQ(settings.cpus_for(DomainType::pv), (CpuSet{1, 2, 3}));
  EXPECT_EQ(read("vm.pv.cpumask = \"1\"\n").value().cpus_for(DomainType::pvh), std::nullopt);
  const auto wrong = read("vm.cpumask = \"nodes:1\"\n");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().what.find("vm.cpumask"), std::string::npos) << wrong.error().what;
}

TEST_F(XlSettingsTest, NoFileNoSettings) {
  const auto settings = read_xl_settings(temporary.path() / "absent").value();
  EXPECT_EQ(settings.vif_bridge, "");
  EXPECT_EQ(settings.autoballoon, std::nullopt);
}

TEST_F(XlSettingsTest, ABrokenFileIsAnErrorWithItsPlace) {
  const auto result = read("# fine\nautoballoon = = 1\n");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().where->line, 2U);
}

}  // namespace
}  // namespace domsmith
