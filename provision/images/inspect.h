// What an image's file system tells by itself: its description, its packages, its boot files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/block_target.h"
#include "imagebuild/boot/boot_files.h"
#include "imagebuild/build.h"
#include "provision/images/description.h"
#include "provision/images/make_image.h"

namespace domsmith {

struct Inspection {
  ImageDescription description;
  boot::BootFiles boot;  // empty version: the image has no kernel and wants none
  std::vector<InstalledPackage> packages;
  std::uint64_t used = 0;  // bytes
  std::string filesystem_uuid;
};

Result<Inspection> inspect_image(BlockTarget& image);

// The columns that an inspection knows; name, store, volume, size and time are the caller's.
ImageRecord record_of(const Inspection& seen);
Populated populated_of(Inspection seen);

}  // namespace domsmith
