// `domsmith iso build`: one file that starts from a CD and from a USB stick, by BIOS and by UEFI, with all that an
// installation needs.
//
//   /domsmith/medium.json        what is on it: versions and hashes; GRUB and /init know the medium by it
//   /domsmith/slot.squashfs      the hypervisor (hypervisor/system/slot.h); the medium runs it, the installer copies it
//   /domsmith/answer.toml        the answer file, where one was given
//   /domsmith/images/NAME.squashfs   golden images of guests: NAME.img
//   /domsmith/boot/              boot.img, core.img, BOOTX64.EFI for the disk
//   /boot/grub/                  the medium's own menu and images
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/system/slot.h"
#include "provision/workplace.h"

namespace domsmith {

struct IsoInputs {
  std::filesystem::path data;                  // holds hypervisor/, templates/, rootfs-recipes/
  std::filesystem::path program;               // domsmith itself
  std::filesystem::path answer;                // empty: none
  std::vector<std::filesystem::path> recipes;  // golden images to carry, those of the answer file included
  bool anew = false;                           // the slot is packed again, whatever is kept of the last one
};

struct IsoFacts {
  std::string sha256;
  std::uint64_t size = 0;
  SlotFacts slot;
  std::vector<std::string> images;
};

// The same inputs, and the same packages of the mirrors, give the same bytes.
Result<IsoFacts> build_iso(Workplace& place, VolumeStore& store, const IsoInputs& inputs,
                           const std::filesystem::path& output, Progress& progress);

// The slot alone, for tests and for upgrades.
Result<SlotFacts> build_slot(Workplace& place, VolumeStore& store, const IsoInputs& inputs,
                             const std::filesystem::path& output, Progress& progress);

}  // namespace domsmith
