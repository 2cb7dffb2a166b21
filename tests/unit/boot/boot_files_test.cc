#include "imagebuild/boot/boot_files.h"

#include <gmock/gmock.h>

#include "base/block_target.h"
#include "base/crypto.h"
#include "imagebuild/archive/decompress.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/extfs/filesystem.h"
#include "tests/unit/boot/kernels.h"

namespace domsmith::boot {
namespace {

using extfs::FileSystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* modules = "/usr/lib/modules/6.1.0-10-amd64/";

// A file system in memory with the kernel files of a small Debian.
class BootFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = FileSystem::format(*target_, {.label = "root", .uuid = {}, .hash_seed = {}, .time = {}});
    ASSERT_TRUE(made);
    image_.emplace(std::move(*made));
    for (const char* folder : {"/boot", "/usr/lib/modules/6.1.0-10-amd64/kernel"}) {
      ASSERT_TRUE(image_->make_directories(folder));
    }
    ASSERT_TRUE(image_->symlink("/lib", "usr/lib"));
    put("/boot/vmlinuz-6.1.0-10-amd64", bz_image(compress(vmlinux_with({1, 18}), Compression::gzip).value_or("")));
    put(std::string(modules) + "modules.dep",
        "kernel/xen-blkfront.ko:\nkernel/xen-netfront.ko.xz:\nkernel/ext4.ko: kernel/jbd2.ko\nkernel/jbd2.ko:\n"
        "kernel/virtio_blk.ko.zst:\n");
    put(std::string(modules) + "modules.builtin", "kernel/fs/builtin_fs.ko\n");
    put(std::string(modules) + "kernel/xen-blkfront.ko", "BLKFRONT");
    put(std::string(modules) + "kernel/xen-netfront.ko.xz", compress("NETFRONT", Compression::xz).value_or(""));
    put(std::string(modules) + "kernel/ext4.ko", "EXT4-MODULE");
    put(std::string(modules) + "kernel/jbd2.ko", "JBD2");
    put(std::string(modules) + "kernel/virtio_blk.ko.zst", compress("VIRTIO", Compression::zstd).value_or(""));
  }

  void put(const std::string& path, const std::string& bytes) { ASSERT_TRUE(image_->write_file(path, bytes)) << path; }

  std::unique_ptr<BlockTarget> target_ = memory_target(64U << 20);
  std::optional<FileSystem> image_;
  Recipe::Boot wanted_;
};

TEST_F(BootFilesTest, HoldsKernelInitAndModulesInOrder) {
  wanted_.modules = {"virtio_blk", "builtin-fs"};
  const auto files = extract_boot_files(*image_, wanted_);
  ASSERT_TRUE(files) << files.error().what;
  EXPECT_EQ(files->version, "6.1.0-10-amd64");
  EXPECT_THAT(files->modules, ElementsAre("xen_blkfront", "xen_netfront", "jbd2", "ext4", "virtio_blk"));
  EXPECT_THAT(files->initrd, HasSubstr(std::string(agent::init_program())));
  EXPECT_THAT(files->initrd,
              HasSubstr("/lib/modules/xen_blkfront.ko\n/lib/modules/xen_netfront.ko\n/lib/modules/jbd2.ko\n"
                        "/lib/modules/ext4.ko\n/lib/modules/virtio_blk.ko\n"));
  for (const char* bytes : {"BLKFRONT", "NETFRONT", "EXT4-MODULE", "JBD2", "VIRTIO"}) {
    EXPECT_THAT(files->initrd, HasSubstr(bytes));
  }
  EXPECT_EQ(files->initrd_sha256, sha256_hex(files->initrd));
  EXPECT_TRUE(files->kernel.starts_with(ELFMAG)) << "what Xen's loader need not unpack at each start";
  EXPECT_EQ(files->kernel_sha256, sha256_hex(files->kernel));
  EXPECT_EQ(files->ability, (KernelAbility{.known = true, .pv = true, .pvh = true}));
  EXPECT_EQ(files->cmdline, "root=/dev/xvda ro console=hvc0");
}

TEST_F(BootFilesTest, AKernelThatCannotBeUnpackedStaysAsItIs) {
  const auto files = extract_boot_files(*image_, wanted_, "ext4", {.vmlinux = 10});
  ASSERT_TRUE(files) << files.error().what;
  EXPECT_EQ(files->kernel, image_->read_file("/boot/vmlinuz-6.1.0-10-amd64", 1U << 20).value());
  EXPECT_FALSE(files->ability.known);
}

TEST_F(BootFilesTest, SameImageSameBytes) {
  const auto first = extract_boot_files(*image_, wanted_);
  const auto second = extract_boot_files(*image_, wanted_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->initrd, second->initrd);
}

TEST_F(BootFilesTest, TakesTheNewestKernel) {
  put("/boot/vmlinuz-6.1.0-9-amd64", "old");
  const auto files = extract_boot_files(*image_, wanted_);
  ASSERT_TRUE(files);
  EXPECT_EQ(files->version, "6.1.0-10-amd64");
  put("/boot/vmlinuz-6.1.0-11-amd64", "without modules");
  const auto newest = extract_boot_files(*image_, wanted_);
  ASSERT_FALSE(newest);
  EXPECT_THAT(newest.error().what, HasSubstr("the kernel 6.1.0-11-amd64 has no modules.dep"));
}

TEST_F(BootFilesTest, NoKernelAndUnknownModule) {
  wanted_.modules = {"virtio_blkk"};
  const auto unknown = extract_boot_files(*image_, wanted_);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().what, "the kernel 6.1.0-10-amd64 has no module 'virtio_blkk'");
  ASSERT_TRUE(image_->remove_tree("/boot"));
  const auto none = extract_boot_files(*image_, wanted_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
}

TEST_F(BootFilesTest, LimitsHold) {
  EXPECT_FALSE(extract_boot_files(*image_, wanted_, "ext4", {.kernel = 100}));
  EXPECT_FALSE(extract_boot_files(*image_, wanted_, "ext4", {.module = 5}));
  const auto kernel = image_->stat("/boot/vmlinuz-6.1.0-10-amd64");
  ASSERT_TRUE(kernel);
  const auto total = extract_boot_files(*image_, wanted_, "ext4", {.total = kernel->size + 10});
  ASSERT_FALSE(total);
  EXPECT_EQ(total.error().code, ErrorCode::no_space);
  EXPECT_FALSE(extract_boot_files(*image_, wanted_, "ext4", {.total = 1}));
}

TEST_F(BootFilesTest, AModuleThatUnpacksBeyondTheLimitIsRefused) {
  put(std::string(modules) + "kernel/xen-netfront.ko.xz",
      compress(std::string(1U << 20, '\0'), Compression::xz).value_or(""));
  const auto files = extract_boot_files(*image_, wanted_, "ext4", {.module = 64U << 10});
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().what, HasSubstr("xen-netfront.ko.xz"));
}

TEST_F(BootFilesTest, LinksStayInsideTheImage) {
  ASSERT_TRUE(image_->symlink("/boot/vmlinuz-6.1.0-10-amd64", "/../../../../etc/passwd"));
  const auto files = extract_boot_files(*image_, wanted_);
  ASSERT_FALSE(files) << "the host's /etc/passwd must not be found";
  ASSERT_TRUE(image_->symlink("/boot/vmlinuz-6.1.0-10-amd64", "vmlinuz-6.1.0-10-amd64"));
  EXPECT_FALSE(extract_boot_files(*image_, wanted_)) << "a link to itself";
}

}  // namespace
}  // namespace domsmith::boot
