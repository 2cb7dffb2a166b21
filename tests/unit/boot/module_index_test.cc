#include "imagebuild/boot/module_index.h"

#include <gmock/gmock.h>

#include <set>

namespace domsmith::boot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A part of Debian 12's, as depmod wrote it.
ModuleFiles debian() {
  return {
      .dep =
          "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/mbcache.ko kernel/fs/jbd2/jbd2.ko\n"
          "kernel/lib/crc16.ko:\nkernel/fs/mbcache.ko:\nkernel/fs/jbd2/jbd2.ko:\n"
          "kernel/arch/x86/crypto/crc32c-intel.ko.xz:\nkernel/crypto/crc32c_generic.ko:\n"
          "kernel/drivers/block/xen-blkfront.ko:\n"
          "kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko\n"
          "kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko\n"
          "kernel/drivers/virtio/virtio.ko:\n",
      .builtin = "kernel/drivers/xen/xenbus/xenbus.ko\nkernel/fs/ext2/built-in-fs.ko\n",
      .softdep =
          "softdep ext4 pre: crypto-crc32c\nsoftdep libcrc32c pre: crc32c\nsoftdep crc16 pre: nothing post: mbcache\n",
      .alias =
          "# Aliases\nalias pci:v000010ECd*sv*sd*bc*sc*i* virtio_pci\nalias crypto-crc32c crc32c_intel\n"
          "alias crypto-crc32c crc32c_generic\nalias fs-ext3 ext4\n"};
}

std::vector<std::string> order_of(const std::vector<std::string>& names) {
  return ModuleIndex(debian(), "6.1").load_order(names).value_or(std::vector<std::string>{"(error)"});
}

TEST(ModuleIndex, DependenciesAndSoftDependenciesComeFirst) {
  EXPECT_THAT(order_of({"ext4"}), ElementsAre("kernel/arch/x86/crypto/crc32c-intel.ko.xz",
                                              "kernel/crypto/crc32c_generic.ko", "kernel/fs/jbd2/jbd2.ko",
                                              "kernel/fs/mbcache.ko", "kernel/lib/crc16.ko", "kernel/fs/ext4/ext4.ko"));
  EXPECT_THAT(order_of({"virtio_pci"}),
              ElementsAre("kernel/drivers/virtio/virtio.ko", "kernel/drivers/virtio/virtio_ring.ko",
                          "kernel/drivers/virtio/virtio_pci.ko"));
}

TEST(ModuleIndex, EachOnceAndHyphenIsUnderscore) {
  EXPECT_THAT(order_of({"xen-blkfront", "xen_blkfront", "virtio", "virtio-ring"}),
              ElementsAre("kernel/drivers/block/xen-blkfront.ko", "kernel/drivers/virtio/virtio.ko",
                          "kernel/drivers/virtio/virtio_ring.ko"));
}

TEST(ModuleIndex, AliasesAndBuiltIns) {
  EXPECT_EQ(order_of({"fs-ext3"}), order_of({"ext4"}));
  EXPECT_THAT(order_of({"xenbus", "built_in_fs"}), IsEmpty());
}

TEST(ModuleIndex, UnknownModule) {
  const auto order = ModuleIndex(debian(), "6.1").load_order({"xen-blkfrnt"});
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().code, ErrorCode::not_found);
  EXPECT_EQ(order.error().what, "the kernel 6.1 has no module 'xen-blkfrnt'");
  EXPECT_THAT(order.error().remedy, HasSubstr("xen_blkfront"));
}

TEST(ModuleIndex, ACircleEnds) {
  ModuleFiles files;
  files.dep = "a.ko: b.ko\nb.ko: a.ko\n";
  files.softdep = "softdep a pre: b post: a\n";
  const auto order = ModuleIndex(files, "1").load_order({"a"});
  ASSERT_TRUE(order);
  EXPECT_THAT(*order, ElementsAre("b.ko", "a.ko"));
}

TEST(ModuleIndex, NamesOfFiles) {
  EXPECT_EQ(module_name_of("kernel/fs/ext4/ext4.ko.xz"), "ext4");
  EXPECT_EQ(module_name_of("xen-blkfront.ko"), "xen_blkfront");
}

}  // namespace
}  // namespace domsmith::boot
