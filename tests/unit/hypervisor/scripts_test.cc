// The host's own scripts (hypervisor/files/host): of devices, with scripts for xenstore's and iproute2's programs, and
// in front of systemd's generator of mounts.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/process.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A store is a folder of files; what is written to it is a line of "written" too.
class DeviceScripts : public testing::Test {
 protected:
  void SetUp() override {
    program("xenstore-read", "cat \"$STORE/$1\"");
    program("xenstore-write", "echo \"$*\" >>\"$STORE/../written\"");
    program("xenstore-ls", "cat \"$STORE/../ls\" 2>/dev/null");
    program("ip", "echo \"ip $*\" >>\"$STORE/../written\"");
    program("stat", "echo fe:7");
    fs::create_directories(folder_.path() / "store");
  }
  void program(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomic(folder_.path() / "bin" / name, "#!/bin/sh\n" + text + "\n", 0755));
  }
  void put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(write_file_atomic(folder_.path() / "store" / key, value + "\n"));
  }
  int run_script(const std::string& name, std::vector<std::string> words, const std::string& path) {
    words.insert(words.begin(), std::string(DOMSMITH_SOURCE_DIR) + "/hypervisor/files/host/xen/scripts/" + name);
    const auto done =
        run({.argv = std::move(words),
             .environment = {"STORE=" + (folder_.path() / "store").string(), "XENBUS_PATH=" + path, "vif=vif3.0",
                             "DOMSMITH_SYS=" + folder_.path().string(),
                             "DOMSMITH_SCRIPT_PATH=" + (folder_.path() / "bin").string() + ":/usr/bin:/bin"},
             .working_directory = {}});
    EXPECT_TRUE(done);
    return done ? done->status.code : -1;
  }
  std::string written() { return read_file(folder_.path() / "written").value_or(""); }
  // A block device, whatever it is: the scripts only look.
  std::string device() {
    for (const auto& entry : fs::directory_iterator("/dev")) {
      if (entry.is_block_file()) {
        return entry.path().string();
      }
    }
    return {};
  }
  TemporaryDirectory folder_ = TemporaryDirectory::make().value();
};

TEST_F(DeviceScripts, ADiskIsConnected) {
  if (device().empty()) {
    GTEST_SKIP() << "no block device";
  }
  put("backend/vbd/3/51712/params", device());
  put("backend/vbd/3/51712/mode", "w");
  EXPECT_EQ(run_script("block", {"add"}, "backend/vbd/3/51712"), 0);
  EXPECT_EQ(written(), fmt::format("backend/vbd/3/51712/physical-device fe:7 backend/vbd/3/51712/physical-device-path "
                                   "{} backend/vbd/3/51712/hotplug-status connected\n",
                                   device()));
}

TEST_F(DeviceScripts, ADiskThatAnotherGuestHasIsRefused) {
  if (device().empty()) {
    GTEST_SKIP() << "no block device";
  }
  put("backend/vbd/3/51712/params", device());
  put("backend/vbd/3/51712/mode", "r");
  put("backend/vbd/2/51712/mode", "w");
  ASSERT_TRUE(write_file_atomic(folder_.path() / "ls",
                                "backend/vbd/2/51712/physical-device = \"fe:70\"\n"
                                "backend/vbd/2/51712/physical-device = \"fe:7\"\n"
                                "backend/vbd/3/51712/physical-device = \"fe:7\"\n"));
  EXPECT_EQ(run_script("block", {"add"}, "backend/vbd/3/51712"), 1);
  EXPECT_THAT(written(), HasSubstr("hotplug-status busy"));
  put("backend/vbd/2/51712/mode", "r");
  EXPECT_EQ(run_script("block", {"add"}, "backend/vbd/3/51712"), 0);
}

TEST_F(DeviceScripts, WhatIsNoDiskIsRefused) {
  put("backend/vbd/3/51712/params", folder_.path().string());
  put("backend/vbd/3/51712/mode", "w");
  EXPECT_EQ(run_script("block", {"add"}, "backend/vbd/3/51712"), 1);
  EXPECT_THAT(written(), HasSubstr("is no block device backend/vbd/3/51712/hotplug-status error"));
  EXPECT_EQ(run_script("block", {"remove"}, "backend/vbd/3/51712"), 0);
}

TEST_F(DeviceScripts, ACardGoesOnItsBridge) {
  put("backend/vif/3/0/bridge", "xenbr0");
  ASSERT_TRUE(write_file_atomic(folder_.path() / "class/net/xenbr0/mtu", "9000\n"));
  EXPECT_EQ(run_script("vif-bridge", {"online", "type_if=vif"}, "backend/vif/3/0"), 0);
  EXPECT_EQ(written(),
            "ip link set dev vif3.0 address fe:ff:ff:ff:ff:ff mtu 9000 master xenbr0 up\n"
            "/local/domain/3/device/vif/0/mtu 9000 backend/vif/3/0/hotplug-status connected\n");
}

TEST_F(DeviceScripts, ACardWithoutABridgeIsRefused) {
  put("backend/vif/3/0/bridge", "none");
  EXPECT_EQ(run_script("vif-bridge", {"online", "type_if=vif"}, "backend/vif/3/0"), 1);
  EXPECT_THAT(written(), HasSubstr("there is no bridge none backend/vif/3/0/hotplug-status error"));
  EXPECT_EQ(run_script("vif-bridge", {"offline", "type_if=vif"}, "backend/vif/3/0"), 0);
}

TEST(FstabGenerator, SystemdsOwnIsAskedWhereThereIsALine) {
  const TemporaryDirectory folder = TemporaryDirectory::make().value();
  const auto fstab = folder.path() / "fstab";
  ASSERT_TRUE(write_file_atomic(folder.path() / "systemd-fstab-generator", "#!/bin/sh\necho asked $*\n", 0755));
  const auto said = [&] {
    const auto done =
        run({.argv = {std::string(DOMSMITH_SOURCE_DIR) +
                          "/hypervisor/files/host/systemd/system-generators/systemd-fstab-generator",
                      "normal", "early", "late"},
             .environment = {"SYSTEMD_FSTAB=" + fstab.string(), "DOMSMITH_GENERATORS=" + folder.path().string()},
             .working_directory = {}});
    EXPECT_TRUE(done && done->status.code == 0);
    return done ? done->out : "";
  };
  EXPECT_EQ(said(), "") << "there is none";
  ASSERT_TRUE(write_file_atomic(fstab, "# what is mounted\n\n  # nothing\n"));
  EXPECT_EQ(said(), "");
  ASSERT_TRUE(write_file_atomic(fstab, "# data\n/dev/vg0/data /srv ext4 defaults 0 2\n"));
  EXPECT_EQ(said(), "asked normal early late\n");
}

}  // namespace
}  // namespace domsmith
