// Boot files and the images that use them: putting them on the shelf, and clearing away what no image needs.
#pragma once

#include "base/file.h"
#include "provision/workplace.h"

namespace domsmith {

// Held from before boot files are put until the registry says who uses them, so that nobody clears them away between.
Result<FileLock> hold_boot_shelf(const Workplace& place);

// Removes boot files that no image in the registry names. Does nothing while another process makes an image.
Result<void> clear_boot_shelf(Workplace& place);

}  // namespace domsmith
