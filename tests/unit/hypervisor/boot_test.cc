// Boot code and menus. The texts stand in tests/golden/boot; DOMSMITH_UPDATE_GOLDEN=1 writes them anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "hypervisor/boot/boot_code.h"
#include "hypervisor/boot/environment.h"
#include "hypervisor/boot/menu.h"
#include "tests/unit/golden.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

void expect_boot_text(const std::string& name, const std::string& text) {
  golden::expect_text(std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/golden/boot" / name, text);
}

AnswerXen usual() {
  return {.dom0_memory = 256ULL << 20,
          .dom0_vcpus = 1,
          .serial = "com1",
          .guest_cpus = "",
          .options = "",
          .dom0_options = ""};
}

TEST(BootMenu, OfAMediumWithAnAnswerFile) {
  expect_boot_text("medium.cfg", medium_menu({.has_answer = true, .xen = usual()}));
}

TEST(BootMenu, OfAnInstalledHost) {
  expect_boot_text("host.cfg", host_menu({.volume_group = "my-vg", .xen = usual()}));
}

TEST(BootMenu, WithoutASerialPortNothingNamesOne) {
  AnswerXen xen = usual();
  xen.serial = "none";
  const std::string text = host_menu({.volume_group = "vg0", .xen = xen});
  EXPECT_THAT(text, testing::Not(HasSubstr("serial")));
  EXPECT_THAT(text, HasSubstr("console=vga dom0_mem=256M,max:256M"));
}

TEST(BootMenu, TheEnvironmentIsGrubs) {
  const std::string block = fresh_environment();
  EXPECT_EQ(block.size(), 1024U);
  EXPECT_TRUE(block.starts_with("# GRUB Environment Block\nslot=a\n#"));
}

TEST(Environment, OneNameIsChangedAndTheSizeStays) {
  const auto trying = environment_with(fresh_environment(), "try", "b");
  ASSERT_TRUE(trying);
  EXPECT_EQ(trying->size(), 1024U);
  EXPECT_EQ(environment_value(*trying, "slot"), "a");
  EXPECT_EQ(environment_value(*trying, "try"), "b");
  const auto kept = environment_with(*environment_with(*trying, "slot", "b"), "try", "");
  ASSERT_TRUE(kept);
  EXPECT_EQ(environment_value(*kept, "slot"), "b");
  EXPECT_EQ(environment_value(*kept, "try"), "");
}

TEST(Environment, WhatIsNoneOrFullIsRefused) {
  EXPECT_EQ(environment_with("", "slot", "b").error().code, ErrorCode::bad_input);
  EXPECT_EQ(environment_with(std::string(1024, '#'), "slot", "b").error().code, ErrorCode::bad_input);
  EXPECT_EQ(environment_with(fresh_environment(), "note", std::string(1024, 'x')).error().code, ErrorCode::no_space);
}

BootCode code_of(std::size_t core) {
  BootCode code{.boot = std::string(512, 'b'), .core = std::string(core, 'c')};
  code.boot[510] = '\x55';
  code.boot[511] = '\xaa';
  return code;
}

std::uint64_t number_at(const std::string& bytes, std::size_t offset, unsigned count) {
  std::uint64_t number = 0;
  for (unsigned i = 0; i < count; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return number;
}

TEST(BootCode, EachPartIsToldWhereTheNextLies) {
  const auto placed = placed_boot_code(code_of(2000), 1U << 20);
  ASSERT_TRUE(placed);
  EXPECT_EQ(number_at(placed->boot, 0x5c, 8), 2048U);
  EXPECT_EQ(placed->core.size(), 2048U);
  EXPECT_EQ(number_at(placed->core, 500, 8), 2049U);
  EXPECT_EQ(number_at(placed->core, 508, 2), 3U);
  EXPECT_EQ(number_at(placed->core, 510, 2), 0x820U);
}

TEST(BootCode, ThePartitionTableStays) {
  const auto disk = memory_target(4U << 20);
  std::array<std::byte, 512> first{};
  first.fill(std::byte{7});
  ASSERT_TRUE(disk->write(0, first));
  ASSERT_TRUE(write_boot_code(*disk, code_of(2000), 1U << 20, 1U << 20));
  ASSERT_TRUE(disk->read(0, first));
  EXPECT_EQ(first[0], std::byte{'b'});
  EXPECT_EQ(first[439], std::byte{'b'});
  EXPECT_EQ(first[440], std::byte{7});
  EXPECT_EQ(first[509], std::byte{7});
  EXPECT_EQ(first[511], std::byte{0xaa});
}

TEST(BootCode, WhatIsNoneOrTooLargeIsRefused) {
  const auto disk = memory_target(4U << 20);
  EXPECT_EQ(write_boot_code(*disk, code_of(2U << 20), 1U << 20, 1U << 20).error().code, ErrorCode::no_space);
  EXPECT_FALSE(placed_boot_code({.boot = std::string(512, 'b'), .core = std::string(2000, 'c')}, 1U << 20));
}

}  // namespace
}  // namespace domsmith
