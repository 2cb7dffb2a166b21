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
