#include "imagebuild/extfs/needed_size.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/block_target.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::extfs {
namespace {

constexpr std::uint64_t mib = 1U << 20;
constexpr std::uint64_t block_bytes = 4096;
constexpr std::uint64_t most = 1ULL << 50;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

std::uint64_t step_for(std::uint64_t size) {
  if (size < 1024 * mib) {
    return 32 * mib;
  }
  return size < 16384 * mib ? 256 * mib : 1024 * mib;
}

// Bytes that a file system of `size` lacks; 0 where it is large enough.
Result<std::uint64_t> shortage(std::uint64_t size, const Need& need) {
  const auto target = memory_target(size);
  auto fs = FileSystem::format(*target, {.label = {}, .time = 1, .inode_ratio = need.inode_ratio});
  if (!fs) {
    return fs.error().code == ErrorCode::no_space ? Result<std::uint64_t>(mib) : std::unexpected(std::move(fs).error());
  }
  const std::uint64_t blocks = fs->free_bytes() / block_bytes;
  const std::uint64_t inodes = fs->free_inodes();
  const std::uint64_t lacking_blocks = need.blocks > blocks ? need.blocks - blocks : 0;
  const std::uint64_t lacking_inodes = need.inodes > inodes ? need.inodes - inodes : 0;
  return std::max(lacking_blocks * block_bytes, lacking_inodes * need.inode_ratio);
}

// The first size from `from` on, by `step`, that is large enough.
Result<std::uint64_t> first_fit(std::uint64_t from, std::uint64_t step, const Need& need) {
  for (std::uint64_t size = round_up(from, step); size < most;) {
    const std::uint64_t lacking = TRY(shortage(size, need));
    if (lacking == 0) {
      return size;
    }
    size += round_up(lacking, step);
  }
  return fail(ErrorCode::no_space, "no file system is large enough for this tree");
}

}  // namespace

Result<NeededSize> needed_size(const Need& need) {
  Need padded = need;
  padded.blocks += need.blocks / 512 + 16;  // another layout may cut a file into more extents
  const std::uint64_t least = TRY(first_fit(padded.blocks * block_bytes, mib, padded));
  return NeededSize{.least = least, .rounded = TRY(first_fit(least, step_for(least), padded))};
}

std::string recipe_size(std::uint64_t bytes) {
  if (bytes % (1024 * mib) == 0) {
    return fmt::format("{}GiB", bytes / (1024 * mib));
  }
  return fmt::format("{}MiB", bytes / mib);
}

}  // namespace domsmith::extfs
