// Access control lists of an archive member, as the kernel's attributes system.posix_acl_access and _default show them
// (include/uapi/linux/posix_acl_xattr.h).
#pragma once

#include "base/result.h"
#include "imagebuild/archive/handle.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

// bad_input for a list of someone who has a name only: the image's users are not ours.
Result<void> take_acls(struct archive_entry* member, Entry& entry);

}  // namespace domsmith
