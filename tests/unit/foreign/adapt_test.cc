#include "imagebuild/foreign/adapt.h"

#include <gmock/gmock.h>

#include "imagebuild/extfs/filesystem.h"

namespace domsmith::foreign {
namespace {

TEST(Adapt, FstabKeepsWhatNeedsNoDisk) {
  EXPECT_EQ(adapted_fstab("# a comment\n"
                          "UUID=1 / ext4 errors=remount-ro 0 1\n"
                          "/dev/vda1 /boot ext2 defaults 0 2\n"
                          "\tLABEL=swap\tnone\tswap\tsw\t0\t0\n"
                          "/dev/sdb1 /data xfs defaults 0 2\n"
                          "/swapfile none swap sw 0 0\n"
                          "tmpfs /tmp tmpfs nosuid 0 0\n"
                          "server:/home /home nfs defaults 0 0\n"
                          "\n",
                          {"/", "/boot"}, "ext4"),
            "/dev/xvda / ext4 errors=remount-ro 0 1\n"
            "# a comment\n"
            "# of the disk that this system was installed on: UUID=1 / ext4 errors=remount-ro 0 1\n"
            "# of the disk that this system was installed on: /dev/vda1 /boot ext2 defaults 0 2\n"
            "# of the disk that this system was installed on: \tLABEL=swap\tnone\tswap\tsw\t0\t0\n"
            "# of the disk that this system was installed on: /dev/sdb1 /data xfs defaults 0 2\n"
            "# of the disk that this system was installed on: /swapfile none swap sw 0 0\n"
            "tmpfs /tmp tmpfs nosuid 0 0\n"
            "server:/home /home nfs defaults 0 0\n"
            "\n");
  EXPECT_EQ(adapted_fstab("", {"/"}, "ext4"), "/dev/xvda / ext4 errors=remount-ro 0 1\n");
}

TEST(Adapt, InittabGetsALoginOnTheConsole) {
  EXPECT_EQ(adapted_inittab("id:2:initdefault:"),
            "id:2:initdefault:\nhvc0:2345:respawn:/sbin/getty 38400 hvc0 linux\n");
  EXPECT_EQ(adapted_inittab("x:2345:respawn:/sbin/getty 38400 hvc0\n"), "x:2345:respawn:/sbin/getty 38400 hvc0\n");
  EXPECT_EQ(adapted_inittab(""), "");
}

TEST(Adapt, ForgetsTheMachineItWas) {
  const auto target = memory_target(8U << 20);
  auto image = extfs::FileSystem::format(*target, {.label = "root"});
  ASSERT_TRUE(image);
  for (const char* folder : {"/etc/ssh", "/var/lib/systemd"}) {
    ASSERT_TRUE(image->make_directories(folder));
  }
  for (const char* file : {"/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub", "/etc/ssh/sshd_config",
                           "/var/lib/systemd/random-seed"}) {
    ASSERT_TRUE(image->write_file(file, "x"));
  }
  ASSERT_TRUE(image->write_file("/etc/machine-id", "0123\n", {.mode = 0444}));
  ASSERT_TRUE(image->write_file("/etc/securetty", "tty1"));
  ASSERT_TRUE(adapt_system(*image, {"/"}, "ext4"));
  EXPECT_EQ(image->exists("/etc/ssh/ssh_host_rsa_key"), false);
  EXPECT_EQ(image->exists("/etc/ssh/ssh_host_rsa_key.pub"), false);
  EXPECT_EQ(image->exists("/etc/ssh/sshd_config"), true);
  EXPECT_EQ(image->exists("/var/lib/systemd/random-seed"), false);
  EXPECT_EQ(image->read_file("/etc/machine-id", 100), "");
  EXPECT_EQ(image->stat("/etc/machine-id")->mode, 0444U);
  EXPECT_EQ(image->read_file("/etc/securetty", 100), "tty1\nhvc0\n");
  EXPECT_EQ(image->read_file("/etc/fstab", 100), "/dev/xvda / ext4 errors=remount-ro 0 1\n");
  EXPECT_EQ(image->exists("/etc/inittab"), false);
}

}  // namespace
}  // namespace domsmith::foreign
