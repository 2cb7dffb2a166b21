#include "provision/images/copy_used.h"

#include <algorithm>

#include "base/interrupt.h"
#include "provision/images/inspect.h"

namespace domsmith {

Result<void> copy_used_blocks(BlockTarget& from, BlockTarget& to, Progress& progress) {
  static constexpr std::uint64_t step = 16U << 20;
  for (const ByteRange& range : TRY(used_ranges(from))) {
    for (std::uint64_t done = 0; done < range.length;) {
      TRY(check_interrupted());
      const std::uint64_t count = std::min(step, range.length - done);
      TRY(copy_sparse(from, to, ByteRange{range.offset + done, count}));
      done += count;
      progress.advance("copy", range.offset + done, from.size(), "bytes");
    }
  }
  progress.advance("copy", from.size(), from.size(), "bytes");
  return {};
}

Result<void> discard_free_blocks(BlockTarget& target) {
  std::uint64_t end = 0;  // of the last range in use
  for (const ByteRange& range : TRY(used_ranges(target))) {
    if (range.offset > end) {
      TRY(target.discard(end, range.offset - end));
    }
    end = range.offset + range.length;
  }
  return end < target.size() ? target.discard(end, target.size() - end) : Result<void>();
}

}  // namespace domsmith
