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

// An image is anybody's bytes: libext2fs and the decompressors read it in a sealed process (base/worker.h), where the
// target is a file.
Result<Inspection> inspect_image(BlockTarget& image);

// The ranges whose blocks the image's file system uses, rising; found in the same way.
Result<std::vector<ByteRange>> used_ranges(BlockTarget& image);

// The columns that an inspection knows; name, store, volume, size and time are the caller's.
ImageRecord record_of(const Inspection& seen);

}  // namespace domsmith
