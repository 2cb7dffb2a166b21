// A golden image's bytes and boot files, as small as the verbs take them.
#pragma once

#include "base/block_target.h"
#include "base/result.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/images/make_image.h"

namespace domsmith {

// Makes an ext4 as large as the target, with what an identity is written into.
Result<Populated> populate_small(BlockTarget& target);
// The same in an ext4 that is there.
Result<Populated> fill_small(extfs::FileSystem image);

}  // namespace domsmith
