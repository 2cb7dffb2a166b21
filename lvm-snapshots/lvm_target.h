// An open LV: its device, and the mark that it is in use.
#pragma once

#include <memory>
#include <string>

#include "base/block_target.h"
#include "base/file.h"
#include "lvm-snapshots/lvm_context.h"

namespace domsmith {

// With the gate held, the volume active and `hold` its use lock. At the end of the target's life the volume is
// deactivated, unless it was active before or somebody else reads it still. `lv`: LVM's name.
Result<std::unique_ptr<BlockTarget>> open_lvm_target(std::shared_ptr<LvmContext> context, std::string name,
                                                     std::string lv, Access access, FileLock hold);

}  // namespace domsmith
