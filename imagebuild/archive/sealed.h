// read_archive() of an archive that somebody else made: libarchive works in a sealed process (base/worker.h), and what
// it finds is checked again on this side (tree/stream.h).
#pragma once

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/tree/stream.h"

namespace domsmith {

// `fd`: a file or a pipe, read to its end. The sink's finish() is left to the caller.
Result<StreamStats> read_archive_sealed(int fd, TreeSink& sink, const ArchiveLimits& limits, Progress& progress);

}  // namespace domsmith
