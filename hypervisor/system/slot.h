// A slot: one squashfs that holds the whole hypervisor, so that it can be written, hashed and given up as one thing.
//
//   /            the root file system, what left-out.txt names left out
//   /boot        xen.gz, kernel and initrd.img, for GRUB: packed already, so squashfs stores their blocks as they are
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "hypervisor/system/rules.h"
#include "hypervisor/system/slot_tree.h"

namespace domsmith {

struct SlotFacts {
  std::string sha256;                           // of the squashfs
  std::uint64_t size = 0;                       // bytes
  std::uint64_t unpacked = 0;                   // bytes of all files
  std::string kernel_version;                   // "6.1.0-56-amd64"
  std::string xen_version;                      // "4.17"
  std::map<std::string, std::string> packages;  // whose files are in the root: name and version
};

// What else goes in, from outside the image.
struct SlotExtras {
  std::filesystem::path program;    // domsmith itself, stripped on the way
  std::filesystem::path templates;  // folder of domain templates
};

// The tree of a slot. not_found: the image has no kernel or no Xen.
struct ReadySlot {
  SlotTree tree;
  SlotFacts facts;  // without size and hash
};
Result<ReadySlot> make_slot_tree(extfs::FileSystem& image, const SystemRules& rules, const SlotExtras& extras);

// Packs it with mksquashfs(1). The same tree gives the same bytes.
Result<SlotFacts> write_slot(const ReadySlot& slot, const std::filesystem::path& file);

}  // namespace domsmith
