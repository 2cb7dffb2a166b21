// The metadata text of a volume group, read from its disks past LVM's commands: LVM takes a second and more to read a
// group of 5,000 thin volumes (add_seg_to_segs_using_this_lv walks a list for each), and writes the text as it is.
//
// What is not as LVM leaves it when all is well is left to LVM. The format, of LVM2 2.03.16: lib/label/label.h
// (label_header), lib/format_text/layout.h (pv_header, mda_header, raw_locn), lib/misc/crc.c. Writing:
// lvm_disk_write.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct LvmDisk {
  // A metadata area that is in use: a sector of header, and behind it a ring that holds the text.
  struct Area {
    std::string text;          // the group's, as it is committed
    std::uint64_t free = 0;    // bytes for a longer text, as LVM reckons them (vg_mda_free)
    std::string header;        // its sector
    std::uint64_t start = 0;   // of the area, bytes from the disk's beginning
    std::uint64_t size = 0;    // of the area, its header among it
    std::uint64_t offset = 0;  // of the text, from the area's start
    std::uint64_t length = 0;  // of the text and the zero that ends it
  };
  std::filesystem::path device;
  std::string id;     // of the physical volume: 32 characters, without dashes
  std::string label;  // its sector
  std::vector<Area> areas;
  std::string only_lvm;  // why nobody but LVM may write its metadata: a header that LVM would change, say
};

// Read past the page cache (O_DIRECT), as LVM writes. not_found: no physical volume; busy: its text does not fit its
// checksum, as when it was changed at that moment.
Result<LvmDisk> read_lvm_disk(const std::filesystem::path& device);

struct LvmGroupText {
  std::string text;
  std::uint64_t area_free = 0;  // of the area that has the least
};

// The text that all areas of all the group's disks agree on, and the disks; it is not in their areas any more.
struct LvmGroupDisks {
  LvmGroupText agreed;
  std::vector<LvmDisk> disks;
};
// `disks`: those that are known; others are looked up by udev's links below `links`. Any error: ask LVM, which says
// what is the matter.
Result<LvmGroupDisks> read_group_disks(std::string_view group, std::span<const std::filesystem::path> disks,
                                       const std::filesystem::path& links = "/dev/disk/by-id");

}  // namespace domsmith
