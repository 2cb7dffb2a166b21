// One compressed file in memory: a kernel module, a kernel, an initramfs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

// gzip, xz, lzma, zstd, bzip2 and lz4, told by their first bytes; anything else comes back as it is. bad_input for
// damaged bytes and for a result of more than `limit` bytes. `expected`, where it is known, is the result's size: room
// for so much is made at once.
Result<std::string> decompress(std::string_view bytes, std::size_t limit, std::size_t expected = 0);

enum class Compression { none, gzip, xz, zstd };
// Deterministic: no time, no name in the header. interrupted.
Result<std::string> compress(std::string_view bytes, Compression method);

}  // namespace domsmith
