// One volume as a file: who uses it, what it takes, how it is copied.
//
// Use is marked by locks of the open file description (fcntl(2), F_OFD_SETLK) on the whole file: they end with the
// descriptor, however its process ends, and qemu, which locks its images the same way, is seen as well.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/block_target.h"
#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

// Opens and locks a volume: shared for reading, alone for writing. Symbolic links are not followed. busy, not_found.
Result<Fd> open_volume_file(const std::filesystem::path& path, Access access);
// Whether another descriptor holds a lock on it.
Result<bool> volume_file_in_use(const std::filesystem::path& path);

// Bytes that only this file occupies: FIEMAP without the extents marked shared (kernel document filesystems/fiemap);
// all allocated blocks where the file system has no FIEMAP.
Result<std::uint64_t> own_bytes(int fd);
// Allocated bytes (st_blocks).
Result<std::uint64_t> allocated_bytes(int fd);

// Gives runs of 64 KiB and more that hold zeroes back to the file system, so that no clone copies them.
Result<void> dig_holes(int fd);

// A new file that shares its bytes with another (ioctl_ficlone(2)); unsupported where the file system can't.
Result<void> reflink(int from, int to);
Result<bool> can_reflink(const std::filesystem::path& folder);

// Copies the allocated ranges of `from` into the empty file `to`, which keeps the holes. no_space.
Result<void> copy_used(int from, int to);

}  // namespace domsmith
