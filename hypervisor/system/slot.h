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
  std::uint64_t unpacked = 0;                   // bytes of all files, kernel and initramfs unpacked, too
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
  SlotTree tree;          // without the next two, which are in its /boot once they are packed
  std::string kernel;     // vmlinux
  std::string initramfs;  // cpio
  SlotFacts facts;        // without size and hash
};
Result<ReadySlot> make_slot_tree(extfs::FileSystem& image, const SystemRules& rules, const SlotExtras& extras);

// Packs it with mksquashfs(1). The same slot gives the same bytes, and so the last one that was packed is kept in the
// folder `kept`: media for many hosts differ in the answer file alone. "": nothing is taken from there, and nothing is
// kept.
Result<SlotFacts> write_slot(ReadySlot slot, const std::filesystem::path& file, const std::filesystem::path& kept);

}  // namespace domsmith
