// Which of an image's kernels a guest is to start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace domsmith::boot {

// Of `versions` ("6.1.0-56-amd64") the newest that `package` brought: linux-image-VERSION itself, or one that a package
// such as linux-image-amd64 depends on by dpkg's status file. The newest of all where none is of that package; empty:
// no versions.
std::string choose_kernel(const std::vector<std::string>& versions, std::string_view package,
                          std::string_view dpkg_status);

}  // namespace domsmith::boot
