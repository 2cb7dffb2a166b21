// What an image's file system tells by itself: its description, its packages, its boot files.
#pragma once

#include "base/block_target.h"
#include "provision/images/description.h"
#include "provision/images/make_image.h"

namespace domsmith {

struct Inspection {
  ImageDescription description;
  Populated content;  // as if it had just been filled
};

Result<Inspection> inspect_image(BlockTarget& image);

// The columns that an inspection knows; name, store, volume, size and time are the caller's.
ImageRecord record_of(const Inspection& seen);

}  // namespace domsmith
