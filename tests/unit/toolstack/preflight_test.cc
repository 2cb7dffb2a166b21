#include "provision/toolstack/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "sample_guest.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Preflight : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"vmlinuz", "initrd", "disk.img"}) {
      ASSERT_TRUE(write_file_atomic(temporary.path() / name, "x").has_value());
    }
    fs::create_directories(net / "xenbr0");
    fs::create_directories(net / "br1");
    spec = sample_guest("web-a", DomainType::pvh);
    spec.kernel = temporary.path() / "vmlinuz";
    spec.ramdisk = temporary.path() / "initrd";
    spec.disks = {{.target = temporary.path() / "disk.img", .vdev = "xvda", .writable = true, .phy = false}};
    spec.vifs = {{.mac = "00:16:3e:00:00:01", .bridge = "", .script = "", .rate = ""}};
  }
  Result<void> fly() const { return preflight(spec, settings, net.string()); }
  void expect_missing(const std::string& part) const {
    const auto result = fly();
    ASSERT_FALSE(result.has_value()) << part;
    EXPECT_EQ(result.error().code, ErrorCode::not_found);
    EXPECT_THAT(result.error().what, HasSubstr(part));
    EXPECT_FALSE(result.error().remedy.empty());
  }

  TemporaryDirectory temporary = TemporaryDirectory::make().value();
  fs::path net = temporary.path() / "net";
  DomainSpec spec;
  XlSettings settings;
};

TEST_F(Preflight, EverythingIsThere) { EXPECT_TRUE(fly().has_value()); }

TEST_F(Preflight, FilesThatAreNot) {
  fs::remove(spec.disks[0].target);
  expect_missing("its disk");
  fs::remove(spec.ramdisk);
  expect_missing("its ramdisk");
  fs::remove(spec.kernel);
  expect_missing("its kernel");
}

TEST_F(Preflight, AFolderIsNoDisk) {
  spec.disks[0].target = temporary.path();
  EXPECT_EQ(fly().error().code, ErrorCode::bad_input);
}

TEST_F(Preflight, BridgesByTheirDefaults) {
  fs::remove(net / "xenbr0");
  expect_missing("there is no bridge xenbr0");
  settings.vif_bridge = "br1";
  EXPECT_TRUE(fly().has_value());
  spec.vifs[0].bridge = "br2";
  expect_missing("there is no bridge br2");
  spec.vifs[0].script = "vif-route";
  EXPECT_TRUE(fly().has_value()) << "no bridge of that script's";
}

}  // namespace
}  // namespace domsmith
