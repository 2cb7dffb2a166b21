// What an open folder holds, as readdir(3) tells.
#pragma once

#include <string>
#include <vector>

namespace domsmith {

// By name, without "." and ".."; nothing where it cannot be read. The descriptor's own position stays.
std::vector<std::string> names_in_folder(int folder);

}  // namespace domsmith
