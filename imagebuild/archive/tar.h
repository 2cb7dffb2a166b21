// Streams a tar archive (ustar, pax, GNU; compressed with anything libarchive knows) from a descriptor to a TreeSink.
//
// Names come from outside and are not trusted. "./" and repeated slashes are normalised away, "." and "/" name the
// root; an absolute path or a ".." is refused, and so is a hard link to what did not come before it. The text of a
// symlink is text: it may say anything, for nothing here follows it. Formats: tar(5), pax in POSIX.1-2017,
// libarchive-formats(5).
#pragma once

#include <cstdint>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

enum class ArchivePolicy { keep, skip, refuse };

struct ArchiveLimits {
  std::uint64_t entries = 20'000'000;
  std::uint64_t data_bytes = 4ULL << 40;  // of all files together, holes not counted
  std::uint64_t file_size = 16ULL << 40;  // of one file, holes counted
  std::uint64_t ratio = 2000;             // bytes unpacked for each byte read; looked at beyond the first 64 MiB
  std::uint32_t path_bytes = 4095;
  std::uint32_t depth = 512;                    // components of a path
  std::uint32_t attribute_bytes = 1U << 20;     // xattrs of one entry, names included
  ArchivePolicy devices = ArchivePolicy::keep;  // character and block devices
  ArchivePolicy setuid = ArchivePolicy::keep;   // set-user-ID and set-group-ID of files; skip clears the bits
};

struct ArchiveStats {
  std::uint64_t entries = 0;      // given to the sink
  std::uint64_t skipped = 0;      // left out by policy
  std::uint64_t data_bytes = 0;   // given to the sink
  std::uint64_t input_bytes = 0;  // read from the descriptor
};

// Reads to the end of the descriptor (so that a pipe's writer is not killed by SIGPIPE) and reports progress in bytes
// read. The sink's finish() is left to the caller, who may have entries to add. bad_input, naming the entry, for an
// archive that is damaged, ends early, or breaks a limit.
Result<ArchiveStats> read_archive(int fd, TreeSink& sink, const ArchiveLimits& limits, Progress& progress);
// The same for an archive of `length` bytes that begins where the descriptor stands.
Result<ArchiveStats> read_archive(int fd, std::uint64_t length, TreeSink& sink, const ArchiveLimits& limits,
                                  Progress& progress);

}  // namespace domsmith
