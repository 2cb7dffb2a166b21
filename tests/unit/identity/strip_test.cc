// Out of a file system that has an identity, all that names one machine; what was installed stays.
#include "provision/identity/strip.h"

#include "base/block_target.h"
#include "base/progress.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/write.h"
#include "tests/unit/identity/identity_support.h"

namespace domsmith {
namespace {

using extfs::FileSystem;
using testing::HasSubstr;
using testing::Not;

class StripTest : public testing::Test {
 protected:
  void SetUp() override {
    auto fs = value_of(FileSystem::format(*target_, {}));
    for (const auto* folder : {"etc/ssh", "etc/systemd/network", "usr/lib/systemd/system", "usr/sbin", "root/.ssh",
                               "var/lib/systemd", "var/lib/dhcp", "tmp"}) {
      value_of(fs.make_directories(folder));
    }
    for (const auto* file : {"usr/lib/systemd/systemd", "usr/lib/systemd/system/systemd-networkd.service",
                             "usr/sbin/sshd", "etc/ssh/sshd_config"}) {
      value_of(fs.write_file(file, "x"));
    }
    value_of(fs.write_file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA of-the-image\n"));
    SilentProgress silent;
    value_of(write_identity(fs, identity_, silent));
    value_of(fs.make_directories("/var/log/journal/" + identity_.machine_id));
    value_of(fs.write_file("/var/log/journal/" + identity_.machine_id + "/system.journal", "entries"));
    value_of(fs.write_file("/var/lib/dhcp/dhclient.eth0.leases", "lease"));
    value_of(fs.write_file("/tmp/left", "x"));
    value_of(remove_identity(fs, identity_, "silver"));
    value_of(fs.close());
  }
  std::string read(const std::string& path) {
    auto fs = value_of(FileSystem::open(*target_, Access::read_only));
    return fs.read_file(path, 1U << 20).value_or("absent");
  }

  Identity identity_ = test_identity(
      "web-1",
      {.network = StaticNetwork{.address = "192.0.2.10", .gateway = "192.0.2.1"}, .authorized_keys = {kUserKey}});
  std::unique_ptr<BlockTarget> target_ = memory_target(16U << 20);
};

TEST_F(StripTest, NothingOfTheMachineIsLeft) {
  EXPECT_EQ(read("/etc/machine-id"), "");
  EXPECT_EQ(read("/etc/hostname"), "silver\n");
  EXPECT_THAT(read("/etc/hosts"), HasSubstr("127.0.1.1\tsilver"));
  EXPECT_THAT(read("/etc/hosts"), Not(HasSubstr("web-1")));
  for (const auto* gone : {"/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub",
                           "/etc/systemd/network/10-domsmith-eth0.network", "/var/lib/systemd/random-seed",
                           "/var/lib/dhcp/dhclient.eth0.leases", "/tmp/left"}) {
    EXPECT_EQ(read(gone), "absent") << gone;
  }
  auto fs = value_of(FileSystem::open(*target_, Access::read_only));
  EXPECT_FALSE(value_of(fs.exists("/var/log/journal/" + identity_.machine_id)));
}

TEST_F(StripTest, KeysOfTheImageStayAndThoseOfTheIdentityGo) {
  EXPECT_THAT(read("/root/.ssh/authorized_keys"), testing::StrEq("ssh-ed25519 AAAA of-the-image\n"));
}

TEST_F(StripTest, WhatWasInstalledStays) {
  EXPECT_EQ(read("/etc/ssh/sshd_config"), "x");
  EXPECT_EQ(read("/usr/sbin/sshd"), "x");
}

TEST_F(StripTest, ItsClonesGetIdentitiesOfTheirOwn) {
  auto fs = value_of(FileSystem::open(*target_, Access::read_write));
  SilentProgress silent;
  const Identity other = test_identity("db-1");
  value_of(write_identity(fs, other, silent));
  EXPECT_EQ(value_of(fs.read_file("/etc/machine-id", 100)), other.machine_id + "\n");
  EXPECT_EQ(value_of(fs.read_file("/etc/hostname", 100)), "db-1\n");
}

}  // namespace
}  // namespace domsmith
