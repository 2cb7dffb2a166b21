// Entries of the firmware's list; a folder of files stands for efivarfs.
#include "hypervisor/installer/firmware_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "base/crypto.h"
#include "base/file.h"

namespace domsmith {
namespace {

using namespace std::string_literals;

const FirmwareEntry kEntry{.title = "domsmith",
                           .partition = 2,
                           .start = 2U << 20,
                           .size = 64U << 20,
                           .guid = "11111111-2222-4333-8444-555555555555",
                           .program = "\\A.EFI"};
constexpr const char* kGlobal = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";

struct Firmware {
  TemporaryDirectory folder = TemporaryDirectory::make().value();
  [[nodiscard]] std::string value(const std::string& name) const {
    return read_file(folder.path() / (name + kGlobal)).value_or("");
  }
  void set(const std::string& name, const std::string& bytes) const {
    ASSERT_TRUE(write_file_atomic(folder.path() / (name + kGlobal), "\x07\0\0\0"s + bytes));
  }
};

// UEFI 2.10: 3.1.3 EFI_LOAD_OPTION, 10.3.5.1 hard drive, 10.3.5.4 file path, 10.3.1 end.
TEST(FirmwareEntry, IsALoadOption) {
  const auto option = load_option(kEntry);
  ASSERT_TRUE(option);
  EXPECT_EQ(hex(std::as_bytes(std::span(*option))),
            "01000000"                              // active
            "4000"                                  // bytes of the path
            "64006f006d0073006d006900740068000000"  // domsmith
            "04012a00"
            "02000000"
            "0010000000000000"
            "0000020000000000"  // partition 2, its first sector and its sectors
            "11111111222233438444555555555555"
            "02"
            "02"  // its GUID, of a GPT
            "04041200"
            "5c0041002e004500460049000000"  // \A.EFI
            "7fff0400");
  FirmwareEntry wrong = kEntry;
  wrong.guid = "none";
  EXPECT_FALSE(load_option(wrong));
}

TEST(FirmwareEntry, TakesTheFirstFreeNumberAndComesFirst) {
  const Firmware firmware;
  firmware.set("Boot0000", "a disk of somebody's");
  firmware.set("Boot0002", "another");
  firmware.set("BootOrder", "\x02\0\0\0"s);
  firmware.set("BootOrderDefault", "no entry");
  const auto name = add_firmware_entry(kEntry, firmware.folder.path());
  ASSERT_TRUE(name) << name.error().what;
  EXPECT_EQ(*name, "Boot0001");
  EXPECT_EQ(firmware.value("Boot0001"), "\x07\0\0\0"s + *load_option(kEntry));
  EXPECT_EQ(firmware.value("BootOrder"), "\x07\0\0\0\x01\0\x02\0\0\0"s);
}

TEST(FirmwareEntry, OfAHostThatIsInstalledAgainIsMadeAnew) {
  const Firmware firmware;
  firmware.set("Boot0000", "a disk of somebody's");
  ASSERT_TRUE(add_firmware_entry(kEntry, firmware.folder.path()));
  FirmwareEntry second = kEntry;
  second.title = "domsmith (disk 2)";
  ASSERT_TRUE(add_firmware_entry(second, firmware.folder.path()));
  FirmwareEntry again = kEntry;
  again.guid = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
  const auto name = add_firmware_entry(again, firmware.folder.path());
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, "Boot0001");
  EXPECT_EQ(firmware.value("Boot0001"), "\x07\0\0\0"s + *load_option(again));
  EXPECT_EQ(firmware.value("BootOrder"), "\x07\0\0\0\x01\0\x02\0"s);
}

TEST(FirmwareEntry, WithoutVariablesIsAnError) { EXPECT_FALSE(add_firmware_entry(kEntry, "/nowhere/efivars")); }

}  // namespace
}  // namespace domsmith
