#include "provision/images/copy_used.h"

#include <algorithm>
#include <vector>

#include "base/interrupt.h"
#include "base/write_behind.h"
#include "provision/images/inspect.h"

namespace domsmith {

Result<void> copy_used_blocks(BlockTarget& from, BlockTarget& to, Progress& progress) {
  static constexpr std::uint64_t step = 16U << 20;
  const std::vector<ByteRange> ranges = TRY(used_ranges(from));
  std::uint64_t used = 0;
  for (const ByteRange& range : ranges) {
    used += range.length;
  }
  std::uint64_t copied = 0;
  WriteBehind behind(to);  // what is read may have to be unpacked first
  for (const ByteRange& range : ranges) {
    for (std::uint64_t done = 0; done < range.length;) {
      TRY(check_interrupted());
      const std::uint64_t count = std::min(step, range.length - done);
      TRY(copy_sparse(from, behind, ByteRange{range.offset + done, count}));
      done += count;
      copied += count;
      progress.advance("copy", copied, used, "bytes");
    }
  }
  return behind.settle();
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
