// Identities in real ext4 file systems: written, read back, checked by e2fsck.
#include "provision/identity/write.h"

#include <set>

#include "base/block_target.h"
#include "base/file.h"
#include "base/process.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/clone_cost.h"
#include "tests/unit/identity/identity_support.h"

namespace domsmith {
namespace {

using extfs::FileSystem;
using extfs::Follow;
using testing::ElementsAre;
using testing::HasSubstr;

// Counts what is written, to show that nothing is.
class CountingTarget final : public BlockTarget {
 public:
  explicit CountingTarget(std::unique_ptr<BlockTarget> inner) : inner_(std::move(inner)) {}
  [[nodiscard]] std::uint64_t size() const override { return inner_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return inner_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    written += from.size();
    return inner_->write(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return inner_->discard(offset, length); }
  Result<void> flush() override { return inner_->flush(); }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return inner_->next_data(offset); }
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  std::uint64_t written = 0;

 private:
  std::unique_ptr<BlockTarget> inner_;
};

class WriteIdentity : public testing::Test {
 protected:
  WriteIdentity()
      : folder_(value_of(TemporaryDirectory::make())),
        file_((folder_.path() / "image").string()),
        target_(make_target(file_)) {}

  static std::unique_ptr<BlockTarget> make_target(const std::string& file) {
    value_of(write_file_atomic(file, ""));
    std::filesystem::resize_file(file, 64U << 20);
    return value_of(open_block_target(file, Access::read_write));
  }
  // What a minimal Debian with ssh looks like, as far as identities go.
  void make_debian() {
    auto fs = value_of(FileSystem::format(target_, {}));
    for (const auto* folder : {"etc/ssh", "etc/systemd/system", "etc/systemd/network", "usr/lib/systemd/system",
                               "usr/bin", "usr/sbin", "root", "var/lib/systemd", "var/lib/dhcp", "var/lib/dbus"}) {
      value_of(fs.make_directories(folder));
    }
    value_of(fs.symlink("lib", "usr/lib"));
    value_of(fs.symlink("sbin", "usr/sbin"));
    for (const auto* file : {"usr/lib/systemd/systemd", "usr/lib/systemd/system/systemd-networkd.service",
                             "usr/sbin/sshd", "etc/ssh/sshd_config"}) {
      value_of(fs.write_file(file, "x"));
    }
    value_of(fs.write_file("etc/hostname", "gold\n"));
    value_of(fs.write_file("etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tgold\n"));
    value_of(fs.write_file("etc/machine-id", "uninitialized\n", {.mode = 0444}));
    value_of(fs.write_file("etc/ssh/ssh_host_rsa_key", "secret of all", {.mode = 0600}));
    value_of(fs.write_file("etc/ssh/ssh_host_rsa_key.pub", "of all"));
    value_of(fs.write_file("var/lib/dhcp/dhclient.leases", "lease"));
    value_of(fs.write_file("var/lib/dbus/machine-id", "0123\n"));
    value_of(fs.close());
  }
  void write(const Identity& identity) {
    auto fs = value_of(FileSystem::open(target_, Access::read_write));
    SilentProgress progress;
    value_of(write_identity(fs, identity, progress));
    value_of(fs.close());
  }
  void expect_sound() {
    value_of(target_.flush());
    if (const auto program = find_program("e2fsck")) {
      const auto finished =
          value_of(run({.argv = {*program, "-fn", file_}, .environment = {}, .working_directory = {}}));
      EXPECT_TRUE(finished.status.success()) << finished.out;
    }
  }
  std::string read(const std::string& path) {
    auto fs = value_of(FileSystem::open(target_, Access::read_only));
    return value_of(fs.read_file(path, 1U << 20));
  }

  TemporaryDirectory folder_;
  std::string file_;
  CountingTarget target_;
};

TEST_F(WriteIdentity, ItsCostIsCountedAndNothingIsWrittenForThat) {
  make_debian();
  target_.written = 0;
  const auto cost = value_of(clone_cost(target_));
  EXPECT_EQ(target_.written, 0U);
  EXPECT_EQ(value_of(clone_cost(target_)), cost) << "the same each time";
  EXPECT_GE(cost.blocks, 4U) << "files, their folders, inodes, bitmaps";
  EXPECT_LE(cost.chunks, cost.blocks);
  // What it says is what a clone's file then differs in.
  std::string before = value_of(read_file(file_, 64U << 20));
  write(test_identity());
  value_of(target_.flush());
  const std::string after = value_of(read_file(file_, 64U << 20));
  std::set<std::size_t> differ;
  for (std::size_t at = 0; at < before.size(); at += CloneCost::block_bytes) {
    if (before.compare(at, CloneCost::block_bytes, after, at, CloneCost::block_bytes) != 0) {
      differ.insert(at / CloneCost::chunk_bytes);
    }
  }
  EXPECT_EQ(cost.chunks, differ.size());
}

TEST_F(WriteIdentity, NoFileSystemHasNoCost) {
  const auto cost = clone_cost(target_);
  ASSERT_FALSE(cost);
  EXPECT_THAT(cost.error().what, HasSubstr("holds no ext4 file system"));
}

TEST_F(WriteIdentity, EveryFileIsThere) {
  make_debian();
  const auto identity = test_identity("web-1", {.authorized_keys = {kUserKey}});
  write(identity);
  expect_sound();
  EXPECT_EQ(read("etc/hostname"), "web-1\n");
  EXPECT_EQ(read("etc/hosts"), "127.0.0.1\tlocalhost\n127.0.1.1\tweb-1\n");
  EXPECT_EQ(read("etc/machine-id"), identity.machine_id + "\n");
  EXPECT_EQ(read("var/lib/dbus/machine-id"), identity.machine_id + "\n");
  EXPECT_EQ(read("etc/ssh/ssh_host_ed25519_key.pub"), host_public_key(identity) + "\n");
  EXPECT_EQ(read("root/.ssh/authorized_keys"), kUserKey + "\n");
  EXPECT_THAT(read("etc/systemd/network/10-domsmith-eth0.network"), HasSubstr("MACAddress=00:16:3e:80:00:01"));
  EXPECT_EQ(read("var/lib/systemd/random-seed").size(), 512U);

  auto fs = value_of(FileSystem::open(target_, Access::read_only));
  EXPECT_FALSE(value_of(fs.exists("etc/ssh/ssh_host_rsa_key")));
  EXPECT_FALSE(value_of(fs.exists("etc/ssh/ssh_host_rsa_key.pub")));
  EXPECT_FALSE(value_of(fs.exists("var/lib/dhcp/dhclient.leases")));
  EXPECT_TRUE(value_of(fs.exists("etc/ssh/sshd_config")));
  EXPECT_EQ(value_of(fs.stat("etc/ssh/ssh_host_ed25519_key")).mode, 0600U);
  EXPECT_EQ(value_of(fs.stat("etc/machine-id")).mode, 0444U);
  EXPECT_EQ(value_of(fs.stat("root/.ssh")).mode, 0700U);
  EXPECT_EQ(value_of(fs.stat("root/.ssh/authorized_keys")).mode, 0600U);
  EXPECT_EQ(value_of(fs.read_link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service")),
            "/usr/lib/systemd/system/systemd-networkd.service");
}

TEST_F(WriteIdentity, TheSecondTimeWritesNothing) {
  make_debian();
  const auto identity = test_identity("web-1", {.network = StaticNetwork{.address = "192.0.2.10", .dns = {"192.0.2.2"}},
                                                .authorized_keys = {kUserKey}});
  write(identity);
  auto fs = value_of(FileSystem::open(target_, Access::read_write));
  const auto free = fs.free_bytes();
  SilentProgress progress;
  target_.written = 0;
  value_of(write_identity(fs, identity, progress));
  EXPECT_EQ(fs.free_bytes(), free);
  EXPECT_EQ(target_.written, 0U);
  value_of(fs.close());
  expect_sound();
}

TEST_F(WriteIdentity, AnotherIdentityReplacesIt) {
  make_debian();
  write(test_identity("web-1"));
  const auto random = seeded_random(7);
  const std::vector<std::string> macs{"00:16:3e:80:00:02"};
  const auto other = value_of(make_identity("web-2", macs, {}, *random));
  write(other);
  expect_sound();
  EXPECT_EQ(read("etc/hostname"), "web-2\n");
  EXPECT_EQ(read("etc/machine-id"), other.machine_id + "\n");
  EXPECT_THAT(read("etc/systemd/network/10-domsmith-eth0.network"), HasSubstr("00:16:3e:80:00:02"));
  EXPECT_EQ(read("etc/ssh/ssh_host_ed25519_key.pub"), host_public_key(other) + "\n");
}

TEST_F(WriteIdentity, FactsOfTheImage) {
  make_debian();
  auto fs = value_of(FileSystem::open(target_, Access::read_only));
  const auto facts = value_of(read_image_facts(fs));
  EXPECT_EQ(facts.network, NetworkSystem::networkd);
  EXPECT_FALSE(facts.networkd_enabled);
  EXPECT_TRUE(facts.systemd);
  EXPECT_TRUE(facts.openssh);
  EXPECT_FALSE(facts.cloud_init);
  EXPECT_TRUE(facts.dbus_machine_id);
  EXPECT_TRUE(facts.resolv_conf_is_ours);
  EXPECT_EQ(facts.interfaces, std::nullopt);
  EXPECT_THAT(facts.host_keys, ElementsAre("/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub"));
  EXPECT_THAT(facts.leftovers, ElementsAre("/var/lib/dhcp/dhclient.leases"));
}

TEST_F(WriteIdentity, WhetherThereAreNameServers) {
  make_debian();
  const auto none = [this](const char* path, const char* text) {
    auto fs = value_of(FileSystem::open(target_, Access::read_write));
    if (path != nullptr) {
      value_of(fs.write_file(path, text));
    }
    const bool found = value_of(read_image_facts(fs)).no_name_servers;
    value_of(fs.close());
    return found;
  };
  EXPECT_TRUE(none(nullptr, nullptr));
  EXPECT_TRUE(none("etc/resolv.conf", "# nameserver\nsearch example.org\n"));
  EXPECT_FALSE(none("etc/resolv.conf", "nameserver 192.0.2.1\n"));
  EXPECT_TRUE(none("etc/resolv.conf", ""));
  EXPECT_FALSE(none("usr/lib/systemd/systemd-resolved", "#!"));
}

TEST_F(WriteIdentity, WhichNetworkSystem) {
  make_debian();
  auto fs = value_of(FileSystem::open(target_, Access::read_write));
  const auto found = [&] { return value_of(read_image_facts(fs)).network; };
  value_of(fs.write_file("usr/sbin/ifup", "x"));
  EXPECT_EQ(found(), NetworkSystem::ifupdown);
  value_of(fs.make_directories("etc/systemd/system/multi-user.target.wants"));
  value_of(fs.symlink("etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
                      "/lib/systemd/system/systemd-networkd.service"));
  EXPECT_EQ(found(), NetworkSystem::networkd);
  value_of(fs.write_file("usr/sbin/NetworkManager", "x"));
  EXPECT_EQ(found(), NetworkSystem::network_manager);
  value_of(fs.symlink("usr/sbin/netplan", "../share/netplan/netplan.script"));
  EXPECT_EQ(found(), NetworkSystem::network_manager);  // a link to nothing is no netplan
  value_of(fs.write_file("usr/sbin/netplan", "x"));
  EXPECT_EQ(found(), NetworkSystem::netplan);
}

TEST_F(WriteIdentity, AnEmptyFileSystemGetsWhatIsSure) {
  value_of(value_of(FileSystem::format(target_, {})).close());
  write(test_identity());
  expect_sound();
  EXPECT_EQ(read("etc/hostname"), "web-1\n");
  auto fs = value_of(FileSystem::open(target_, Access::read_only));
  EXPECT_FALSE(value_of(fs.exists("etc/ssh")));
}

// Links in an image cannot move a write, and loops are refused.
TEST_F(WriteIdentity, LinksOfTheImage) {
  make_debian();
  {
    auto fs = value_of(FileSystem::open(target_, Access::read_write));
    value_of(fs.symlink("etc/hostname", "/etc/ssh/sshd_config"));
    value_of(fs.symlink("etc/machine-id", "../../../../../../etc/ssh/sshd_config"));
    value_of(fs.close());
  }
  const auto identity = test_identity();
  write(identity);
  expect_sound();
  EXPECT_EQ(read("etc/ssh/sshd_config"), "x");
  EXPECT_EQ(read("etc/hostname"), "web-1\n");
  EXPECT_EQ(read("etc/machine-id"), identity.machine_id + "\n");
}

TEST_F(WriteIdentity, WhatStandsInTheWayIsNamed) {
  make_debian();
  auto fs = value_of(FileSystem::open(target_, Access::read_write));
  value_of(fs.remove("etc/hostname"));
  value_of(fs.make_directories("etc/hostname"));
  value_of(fs.write_file("etc/hostname/x", "x"));
  SilentProgress progress;
  const auto refused = write_identity(fs, test_identity(), progress);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(error_text(refused.error()), HasSubstr("/etc/hostname"));
}

TEST_F(WriteIdentity, AHugeHostsFileIsRefused) {
  make_debian();
  auto fs = value_of(FileSystem::open(target_, Access::read_write));
  value_of(fs.write_file("etc/hosts", std::string(2U << 20, '#')));
  const auto refused = read_image_facts(fs);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(error_text(refused.error()), HasSubstr("/etc/hosts"));
}

}  // namespace
}  // namespace domsmith
