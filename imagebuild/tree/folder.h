// Gives a folder of this host to a TreeSink, as a tar of it would: names sorted, hard links found again, holes left
// out, extended attributes (ACLs among them) as far as this user may read them. Links are never followed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

struct FolderStats {
  std::uint64_t entries = 0;     // the folder itself included
  std::uint64_t data_bytes = 0;  // given to the sink
};

// The folder itself becomes the root. The sink's finish() is left to the caller. A file that shrinks while it is read
// ends in a hole.
Result<FolderStats> read_folder(const std::filesystem::path& folder, TreeSink& sink, Progress& progress);

}  // namespace domsmith
