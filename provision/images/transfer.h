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

// `folder` is one of export_image() that the caller made, as a medium's is: what NAME.json says is believed, and kernel
// and initramfs are the folder's, where import_image() takes all of it out of the image (which takes a slow machine
// longer than to copy it). bad_input: a file is absent or is not what NAME.json says.
Result<ImageRecord> import_exported(Workplace& place, VolumeStore& store, const std::filesystem::path& folder,
                                    Progress& progress);

}  // namespace domsmith
