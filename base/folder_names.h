// What an open folder holds, as readdir(3) tells.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

// Sorted, without "." and "..". The descriptor's own position stays. Errors: a folder that cannot be read, whole or in
// part.
Result<std::vector<std::string>> names_in_folder(int folder);

}  // namespace domsmith
