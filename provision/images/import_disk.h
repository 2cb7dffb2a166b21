// `domsmith image import DISK --format FORMAT --name NAME`: somebody else's disk becomes a golden image.
#pragma once

#include <cstdint>
#include <string>

#include "provision/images/make_image.h"

namespace domsmith {

struct DiskImport {
  std::string path;
  std::string format;  // "raw", "qcow2"
  std::string name;
  std::uint64_t size = 0;  // bytes of the image; 0: as large as the disk's file systems together
};

// The tree is copied through libguestfs into an ext4 of ours, and made to boot as a Xen guest (foreign/adapt.h).
Result<ImageRecord> import_disk(Workplace& place, VolumeStore& store, const DiskImport& wanted, Progress& progress);

}  // namespace domsmith
