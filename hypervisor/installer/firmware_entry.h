// The firmware's own list of what it can start, as efivarfs shows it: Boot0000, Boot0001, ... and BootOrder.
// UEFI 2.10, 3.1.3
// ("Load Options") and 3.3; Documentation/filesystems/efivarfs.rst.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace domsmith {

inline constexpr const char* firmware_variables = "/sys/firmware/efi/efivars";

// A program in the file system of a GPT partition.
struct FirmwareEntry {
  std::string title;        // ASCII
  unsigned partition = 0;   // its number
  std::uint64_t start = 0;  // bytes
  std::uint64_t size = 0;   // bytes
  std::string guid;         // the partition's own
  std::string program;      // "\\EFI\\BOOT\\BOOTX64.EFI"
};

// EFI_LOAD_OPTION. bad_input: the GUID is none.
Result<std::string> load_option(const FirmwareEntry& entry);

// Makes the entry, or makes the one that bears its title anew, and puts it first in the order: the variable's name,
// "Boot0003". `folder` is where the variables are, as files.
Result<std::string> add_firmware_entry(const FirmwareEntry& entry,
                                       const std::filesystem::path& folder = firmware_variables);

}  // namespace domsmith
