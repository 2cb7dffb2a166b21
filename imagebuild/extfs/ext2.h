// libext2fs's own headers and errors; for the files of this folder alone.
#pragma once

#include <ext2fs/ext2fs.h>

#include <string>

#include "base/result.h"

namespace domsmith::extfs {

// The Error of a failed libext2fs call. Where the target failed beneath it, `fs` (may be null) knows why.
[[nodiscard]] std::unexpected<Error> ext2_fail(ext2_filsys fs, errcode_t code, std::string what);

// Nothing, or ext2_fail(). `what` says what did not work: "cannot write the inode table".
inline Result<void> ext2_check(ext2_filsys fs, errcode_t code, const char* what) {
  if (code == 0) {
    return {};
  }
  return ext2_fail(fs, code, what);
}

// The block count of a span of bytes.
constexpr std::uint64_t blocks_of(std::uint64_t bytes, std::uint64_t block_size) {
  return bytes / block_size + (bytes % block_size != 0 ? 1 : 0);
}

}  // namespace domsmith::extfs
