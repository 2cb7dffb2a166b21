#include "imagebuild/boot/kernel_ability.h"

#include <gtest/gtest.h>

#include "imagebuild/archive/decompress.h"
#include "tests/unit/boot/kernels.h"

namespace domsmith::boot {
namespace {

// As boot_files.cc asks: the ELF file inside, then its notes.
KernelAbility ability_of(std::string_view kernel) {
  const auto vmlinux = vmlinux_of(kernel, 192U << 20);
  return vmlinux ? elf_ability(*vmlinux) : KernelAbility{};
}

constexpr KernelAbility unknown{.known = false, .pv = false, .pvh = false};
constexpr KernelAbility both{.known = true, .pv = true, .pvh = true};

TEST(KernelAbility, ReadsXensNotes) {
  EXPECT_EQ(elf_ability(vmlinux_with({6, 1, 18})), both);
  EXPECT_EQ(elf_ability(vmlinux_with({18})), (KernelAbility{.known = true, .pv = false, .pvh = true}));
  EXPECT_EQ(elf_ability(vmlinux_with({1})), (KernelAbility{.known = true, .pv = true, .pvh = false}));
  EXPECT_EQ(elf_ability(vmlinux_with({})), (KernelAbility{.known = true, .pv = false, .pvh = false}));
}

TEST(KernelAbility, LooksIntoABzImage) {
  const std::string vmlinux = vmlinux_with({1, 18}) + std::string(100000, 'k');
  const auto gzip = compress(vmlinux, Compression::gzip);
  const auto xz = compress(vmlinux, Compression::xz);
  const auto zstd = compress(vmlinux, Compression::zstd);
  ASSERT_TRUE(gzip && xz && zstd);
  EXPECT_EQ(ability_of(bz_image(*gzip)), both);
  EXPECT_EQ(ability_of(bz_image(*xz + "SIZE")), both);
  EXPECT_EQ(ability_of(bz_image(*zstd + "SIZE")), both);
  EXPECT_EQ(ability_of(vmlinux), both);
}

TEST(KernelAbility, UnpacksAKernelWithinALimit) {
  const std::string vmlinux = vmlinux_with({1, 18}) + std::string(100000, 'k');
  const std::string image = bz_image(compress(vmlinux, Compression::xz).value() + "SIZE");
  EXPECT_EQ(vmlinux_of(image, 1U << 20), vmlinux);
  EXPECT_EQ(vmlinux_of(vmlinux, 1U << 20), vmlinux);
  EXPECT_EQ(vmlinux_of(image, 1000), std::nullopt);
  EXPECT_EQ(vmlinux_of(vmlinux, 1000), std::nullopt);
  EXPECT_EQ(vmlinux_of(bz_image(compress("no ELF file", Compression::gzip).value()), 1U << 20), std::nullopt);
}

TEST(KernelAbility, DamagedKernelsAreUnknown) {
  const auto gzip = compress(vmlinux_with({1, 18}), Compression::gzip);
  ASSERT_TRUE(gzip);
  const std::string image = bz_image(*gzip);
  EXPECT_EQ(ability_of(""), unknown);
  EXPECT_EQ(ability_of("not a kernel"), unknown);
  EXPECT_EQ(ability_of(bz_image("")), unknown);
  for (std::size_t length = 0; length < image.size(); length += 7) {
    const KernelAbility ability = ability_of(std::string_view(image).substr(0, length));
    EXPECT_FALSE(ability.pv && !ability.known);
  }
}

TEST(KernelAbility, IsSaidInWords) {
  EXPECT_EQ(ability_text(both), "as a PV and as a PVH guest");
  EXPECT_EQ(ability_text(elf_ability(vmlinux_with({18}))), "as a PVH guest, not as PV");
  EXPECT_EQ(ability_text(elf_ability(vmlinux_with({1}))), "as a PV guest, not as PVH");
  EXPECT_EQ(ability_text(elf_ability(vmlinux_with({}))), "neither as a PV nor as a PVH guest");
  EXPECT_TRUE(ability_text(unknown).starts_with("in a way that is not known"));
}

TEST(KernelAbility, DamagedElfFilesDoNoHarm) {
  const std::string good = vmlinux_with({1, 18});
  for (std::size_t length = 0; length < good.size(); ++length) {
    elf_ability(std::string_view(good).substr(0, length));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = '\xff';
    elf_ability(bad);
  }
}

}  // namespace
}  // namespace domsmith::boot
