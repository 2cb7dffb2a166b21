// Golden images in plain files: DIR/NAME.img (sparse ext4), kernel, initrd.img and NAME.json (what is known of it).
#pragma once

#include <filesystem>
#include <string>

#include "provision/images/make_image.h"

namespace domsmith {

// exists: the folder holds such files already. Written under other names first: a file is whole or absent.
Result<void> export_image(Workplace& place, VolumeStore& store, const ImageRecord& image,
                          const std::filesystem::path& directory, Progress& progress);

// `source` is a folder of export_image(), or a raw image that domsmith built. `name` empty: the image's own.
Result<ImageRecord> import_image(Workplace& place, VolumeStore& store, const std::filesystem::path& source,
                                 const std::string& name, Progress& progress);

}  // namespace domsmith
