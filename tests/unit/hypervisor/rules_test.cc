// What goes into a slot: the rules themselves, and what the shipped ones say.
#include "hypervisor/system/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "hypervisor/system/elf_needs.h"
#include "hypervisor/system/libraries.h"
#include "hypervisor/system/slot_tree.h"
#include "hypervisor/system/tar_text.h"

namespace domsmith {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

SystemRules shipped() {
  auto rules = load_rules(std::string(DOMSMITH_SOURCE_DIR) + "/hypervisor");
  EXPECT_TRUE(rules) << rules.error().what;
  return rules.value_or(SystemRules{});
}

TEST(LeftOut, TheLastRuleThatFitsCounts) {
  const LeftOut rules = LeftOut::parse("# a comment\n/usr/share/doc/*   # another\n!/usr/share/doc/keep/*\n");
  EXPECT_TRUE(rules.leaves_out("/usr/share/doc/a/b"));
  EXPECT_FALSE(rules.leaves_out("/usr/share/doc/keep/b"));
  EXPECT_TRUE(rules.keeps("/usr/share/doc/keep/b"));
  EXPECT_FALSE(rules.leaves_out("/usr/share/docs"));
  EXPECT_EQ(rules.rule_for("/usr/share/doc/a"), "/usr/share/doc/*");
}

TEST(LeftOut, APackageGoesWithAllItsFiles) {
  const LeftOut rules = LeftOut::parse("package procps # no ps\n!/usr/bin/pgrep\n");
  const auto known = rules.for_packages({{"procps", {"/usr/bin/ps", "/usr/bin/pgrep"}}, {"bash", {"/usr/bin/bash"}}});
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->leaves_out("/usr/bin/ps"));
  EXPECT_FALSE(known->leaves_out("/usr/bin/pgrep"));
  EXPECT_FALSE(known->leaves_out("/usr/bin/bash"));
  EXPECT_THAT(rules.for_packages({{"bash", {}}}).error().what, HasSubstr("the package 'procps', which the image does"));
}

TEST(LeftOut, TheShippedRulesLeaveOutWhatAHostDoesNotNeed) {
  const LeftOut rules = shipped().left_out;
  for (const char* path :
       {"/usr/bin/perl", "/usr/bin/perl5.36-x86_64-linux-gnu", "/usr/bin/python3.11", "/usr/lib/python3.11/os.py",
        "/usr/bin/apt-get", "/usr/bin/dpkg", "/var/lib/dpkg/status", "/usr/share/doc/bash/copyright",
        "/usr/share/man/man1/ls.1.gz", "/usr/lib/xen-4.17/boot/hvmloader", "/usr/lib/xen-4.17/bin/pygrub",
        "/boot/vmlinuz-6.1.0-1-amd64", "/usr/lib/modules/6.1.0-1-amd64/kernel/sound/soundcore.ko"}) {
    EXPECT_TRUE(rules.leaves_out(path)) << path;
  }
  for (const char* path :
       {"/usr/bin/bash", "/usr/sbin/lvm", "/usr/sbin/sshd", "/usr/lib/systemd/systemd", "/etc/xen/scripts/vif-bridge",
        "/etc/xen/scripts/block", "/etc/xen/scripts/block-common.sh", "/usr/lib/xen-4.17/bin/oxenstored",
        "/usr/lib/xen-4.17/bin/xl", "/usr/sbin/thin_check", "/etc/passwd"}) {
    EXPECT_FALSE(rules.leaves_out(path)) << path;
  }
}

TEST(ModuleList, HeadingsArePurposes) {
  const auto list = parse_module_list("[early]\next4 # root\n[early hardware]\nahci nvme\n[network]\nigb\n", "m");
  ASSERT_TRUE(list);
  EXPECT_THAT(list->early, ElementsAre("ext4"));
  EXPECT_THAT(list->early_hardware, ElementsAre("ahci", "nvme"));
  EXPECT_THAT(list->all, ElementsAre("ext4", "ahci", "nvme", "igb"));
}

TEST(ModuleList, MistakesAreErrors) {
  EXPECT_THAT(parse_module_list("ext4\n", "m.txt").error().what, HasSubstr("m.txt: the module 'ext4' has no purpose"));
  EXPECT_THAT(parse_module_list("[early\n", "m.txt").error().what, HasSubstr("does not end"));
}

TEST(ModuleList, TheShippedOneHasWhatAHostCannotDoWithout) {
  const ModuleList list = shipped().modules;
  EXPECT_THAT(list.early, IsSupersetOf({"squashfs", "overlay", "dm-mod", "ext4"}));
  EXPECT_THAT(list.early_medium, IsSupersetOf({"loop", "isofs"}));
  EXPECT_THAT(list.early_arrays, IsSupersetOf({"raid1"}));
  EXPECT_THAT(list.early_hardware, IsSupersetOf({"ahci", "nvme", "virtio_blk", "usb-storage"}));
  EXPECT_THAT(list.all, IsSupersetOf({"dm-thin-pool", "xen-blkback", "xen-netback", "bridge", "bonding", "8021q"}));
}

SlotTree small_tree() {
  SlotTree tree;
  put_file(tree, "/usr/bin/tool", "tool", 0755);
  tree["/bin"] = {.type = EntryType::symlink, .mode = 0777, .content = {}, .target = "usr/bin"};
  tree["/usr/bin/alias"] = {.type = EntryType::symlink, .mode = 0777, .content = {}, .target = "/bin/../bin/tool"};
  tree["/loop"] = {.type = EntryType::symlink, .mode = 0777, .content = {}, .target = "/loop"};
  return tree;
}

TEST(SlotTree, LinksAreFollowedInsideTheTree) {
  const SlotTree tree = small_tree();
  EXPECT_EQ(resolve(tree, "/bin/alias"), "/usr/bin/tool");
  EXPECT_EQ(resolve(tree, "/loop"), std::nullopt);
  EXPECT_EQ(resolve(tree, "/usr/none"), std::nullopt);
  ASSERT_NE(find_file(tree, "/bin/alias"), nullptr);
  EXPECT_EQ(find_file(tree, "/bin/alias")->content, "tool");
  EXPECT_EQ(find_file(tree, "/usr/bin"), nullptr);
}

TEST(SlotTree, AsTarItIsTheSameBytesEachTime) {
  SlotTree tree = small_tree();
  put_file(tree, "/" + std::string(150, 'n'), "long name");
  const std::string tar = tar_of(tree);
  EXPECT_EQ(tar, tar_of(tree));
  EXPECT_EQ(tar.size() % 512, 0U);
  EXPECT_THAT(tar, HasSubstr("././@LongLink"));
  EXPECT_EQ(tar.substr(257, 5), "ustar");
}

TEST(ElfNeeds, AreReadFromAProgram) {
  const auto bytes = read_file("/proc/self/exe", 1ULL << 30);
  ASSERT_TRUE(bytes);
  const auto needs = elf_needs(*bytes);
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(needs->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_THAT(needs->libraries, Contains("libc.so.6"));
  EXPECT_FALSE(elf_needs("#!/bin/sh\n"));
  EXPECT_FALSE(elf_needs(""));
  for (std::size_t size = 0; size < 4096; size += 7) {
    (void)elf_needs(
        std::string_view(*bytes).substr(0, size));  // a torn file is an error or has no needs, never a crash
  }
}

TEST(Libraries, WhatNothingNeedsGoes) {
  const std::string program = read_file("/proc/self/exe", 1ULL << 30).value_or("");
  SlotTree tree;
  put_file(tree, "/usr/bin/tool", program, 0755);
  put_file(tree, "/usr/lib/x86_64-linux-gnu/libc.so.6", "no ELF");
  put_file(tree, "/usr/lib/x86_64-linux-gnu/libunused.so.1.2", "no ELF");
  put_file(tree, "/usr/lib/x86_64-linux-gnu/libopened.so.1", "no ELF");
  tree["/usr/lib/x86_64-linux-gnu/libunused.so.1"] = {
      .type = EntryType::symlink, .mode = 0777, .content = {}, .target = "libunused.so.1.2"};
  const auto gone = drop_unneeded_libraries(tree, LeftOut::parse("!*/libopened.so*\n"));
  EXPECT_THAT(gone,
              ElementsAre("/usr/lib/x86_64-linux-gnu/libunused.so.1", "/usr/lib/x86_64-linux-gnu/libunused.so.1.2"));
  EXPECT_TRUE(tree.contains("/usr/lib/x86_64-linux-gnu/libopened.so.1"));
  EXPECT_THAT(missing_libraries(tree), Contains("/usr/bin/tool needs libstdc++.so.6"));
}

}  // namespace
}  // namespace domsmith
