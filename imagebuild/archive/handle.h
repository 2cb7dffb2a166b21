// libarchive's objects, owned, and its errors; for the files of this folder alone.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace domsmith {

struct ArchiveReadCloser {
  void operator()(struct archive* handle) const noexcept { archive_read_free(handle); }
};
using ArchiveRead = std::unique_ptr<struct archive, ArchiveReadCloser>;

struct ArchiveWriteCloser {
  void operator()(struct archive* handle) const noexcept { archive_write_free(handle); }
};
using ArchiveWrite = std::unique_ptr<struct archive, ArchiveWriteCloser>;

// The decompressors that run inside this process. libarchive's "all" would also run programs it finds in PATH.
void support_filters(struct archive* handle);

// bad_input with libarchive's own words as the cause.
[[nodiscard]] std::unexpected<Error> archive_fail(struct archive* handle, std::string what);

}  // namespace domsmith
