// The parts of /init that think; the whole of it is tried in the lab.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <filesystem>

#include "base/file.h"
#include "imagebuild/boot/agent/init_cmdline.h"
#include "imagebuild/boot/agent/init_modules.h"
#include "imagebuild/boot/agent/init_root.h"
#include "imagebuild/boot/agent/init_superblock.h"

namespace domsmith::agent {
namespace {

using testing::ElementsAre;

std::string superblock(const std::string& label) {
  std::string bytes(superblock_size, '\0');
  bytes.replace(0x38, 2, "\x53\xEF");
  bytes.replace(0x68, 16, "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10", 16);
  bytes.replace(0x78, label.size(), label);
  return bytes;
}

TEST(RootOptions, DefaultsAreTheKernels) {
  const auto options = read_root_options("console=hvc0\n");
  EXPECT_EQ(options.root, "");
  EXPECT_EQ(options.mount_flags, static_cast<unsigned long>(MS_RDONLY));
  EXPECT_EQ(options.wait_seconds, 30U);
}

TEST(RootOptions, EverythingThatIsSaid) {
  const auto options = read_root_options(
      "root=LABEL=root rw rootfstype=ext4 rootflags=noatime,data=writeback,barrier=0 init=/bin/bash rootdelay=90 "
      "quiet");
  EXPECT_EQ(options.root, "LABEL=root");
  EXPECT_EQ(options.type, "ext4");
  EXPECT_EQ(options.mount_flags, static_cast<unsigned long>(MS_NOATIME));
  EXPECT_EQ(options.data, "data=writeback,barrier=0");
  EXPECT_EQ(options.init, "/bin/bash");
  EXPECT_EQ(options.wait_seconds, 90U);
}

TEST(RootOptions, TheLastOneCounts) {
  const auto options = read_root_options("root=/dev/a rw root=/dev/b ro rootwait rootdelay=3");
  EXPECT_EQ(options.root, "/dev/b");
  EXPECT_EQ(options.mount_flags, static_cast<unsigned long>(MS_RDONLY));
  EXPECT_EQ(options.wait_seconds, std::nullopt);
}

TEST(RootOptions, DelayNeverShortensAndOddOnesAreIgnored) {
  EXPECT_EQ(read_root_options("rootdelay=1").wait_seconds, 30U);
  EXPECT_EQ(read_root_options("rootdelay=x").wait_seconds, 30U);
  EXPECT_EQ(read_root_options("rootdelay=4000000000").wait_seconds, 86400U);
  EXPECT_EQ(read_root_options("root= rootflags=,, init=").root, "");
}

TEST(Cmdline, QuotesKeepBlanks) {
  EXPECT_THAT(cmdline_words("a  b=\"c d\" \"e f\"\n"), ElementsAre("a", "b=c d", "e f"));
}

TEST(Cmdline, OptionsOfModules) {
  constexpr const char* cmdline =
      "xen_blkfront.max_queues=4 root=/dev/x.y=1 xen-blkfront.trace=\"a b\" xen_blk.max=1 quiet";
  EXPECT_EQ(module_options(cmdline, "xen-blkfront"), "max_queues=4 trace=a b");
  EXPECT_EQ(module_options(cmdline, "ext4"), "");
  EXPECT_EQ(module_name("/lib/modules/xen_blkfront.ko"), "xen_blkfront");
}

TEST(Superblock, NamesOfExt) {
  const auto name = read_ext_name(superblock("root"));
  ASSERT_TRUE(name);
  EXPECT_EQ(name->label, "root");
  EXPECT_EQ(name->uuid, "01234567-89ab-cdef-fedc-ba9876543210");
  EXPECT_TRUE(is_meant("LABEL=root", *name));
  EXPECT_FALSE(is_meant("LABEL=roo", *name));
  EXPECT_TRUE(is_meant("UUID=01234567-89AB-cdef-fedc-ba9876543210", *name));
  EXPECT_FALSE(is_meant("UUID=01234567", *name));
  EXPECT_FALSE(is_meant("/dev/root", *name));
}

TEST(Superblock, LabelOfSixteenBytesAndOtherDisks) {
  EXPECT_EQ(read_ext_name(superblock("sixteen-bytes-ab"))->label, "sixteen-bytes-ab");
  EXPECT_FALSE(read_ext_name(std::string(superblock_size, '\0')));
  EXPECT_FALSE(read_ext_name(superblock("x").substr(0, 1023)));
  EXPECT_FALSE(read_ext_name(""));
}

TEST(FindRoot, ByNodeLabelAndUuid) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const std::string base = folder->path();
  const std::string sys = base + "/sys", dev = base + "/dev";
  for (const char* name : {"sda", "sda1", "xvda", "loop0"}) {
    ASSERT_TRUE(make_directories(sys + "/" + name));
  }
  ASSERT_TRUE(write_file_atomic(dev + "/sda", "short"));
  ASSERT_TRUE(write_file_atomic(dev + "/sda1", std::string(1024, '\0') + superblock("other")));
  ASSERT_TRUE(write_file_atomic(dev + "/xvda", std::string(1024, '\0') + superblock("root")));
  EXPECT_EQ(find_root("/dev/xvda", sys, dev), dev + "/xvda");
  EXPECT_EQ(find_root("/dev/xvdb", sys, dev), std::nullopt);
  EXPECT_EQ(find_root("LABEL=root", sys, dev), dev + "/xvda");
  EXPECT_EQ(find_root("LABEL=none", sys, dev), std::nullopt);
  // Two file systems with one UUID: always the first by name.
  EXPECT_EQ(find_root("UUID=01234567-89ab-cdef-fedc-ba9876543210", sys, dev), dev + "/sda1");
  EXPECT_EQ(find_root("LABEL=root", base + "/absent", dev), std::nullopt);
  EXPECT_EQ(type_of(dev + "/xvda"), "ext4");
  EXPECT_EQ(type_of(dev + "/sda"), std::nullopt);
}

TEST(WaitForRoot, EndsAtTheDeadline) {
  RootOptions options;
  options.root = "/dev/no-such-device";
  options.wait_seconds = 0;
  DeviceEvents events;
  EXPECT_EQ(wait_for_root(options, events), std::nullopt);
}

}  // namespace
}  // namespace domsmith::agent
