// All that is in an image, one path after another.
#pragma once

#include <functional>
#include <string>

#include "imagebuild/extfs/filesystem.h"

namespace domsmith::extfs {

// Calls `visit` for everything but the root and /lost+found, a folder before what is in it; paths are absolute. Folder
// by folder, without recursion: an image may be as deep as it is large. An Error of `visit` ends it. bad_input: a
// folder that is found twice, as in a damaged image whose folders have no end.
Result<void> walk(FileSystem& image,
                  const std::function<Result<void>(const std::string& path, const NodeInfo& info)>& visit);

}  // namespace domsmith::extfs
