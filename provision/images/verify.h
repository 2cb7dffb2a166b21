// `domsmith image verify`: is a golden image what the registry says it is?
#pragma once

#include <string>
#include <vector>

#include "provision/images/make_image.h"

namespace domsmith {

struct VerifyCheck {
  std::string what;  // "boot files", "e2fsck -fn"
  bool good = false;
  std::string found;  // what was seen
};

// Reads only. Every check is made, whatever the others say.
Result<std::vector<VerifyCheck>> verify_image(Workplace& place, VolumeStore& store, const ImageRecord& image);

}  // namespace domsmith
