// admit_clones(), and what stores say of their volumes that know no better.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "lvm-snapshots/store.h"

namespace domsmith {

namespace {

std::string amount(const StoreLimit& limit, std::uint64_t count) {
  return limit.bytes ? size_text(count) : std::to_string(count);
}

// As much as fits is said too: that is what the user asks for next.
std::string shortfall(const StoreLimit& limit, std::uint64_t needed, std::uint64_t each) {
  return fmt::format("{}: {} needed, {} free, enough for {}", limit.what, amount(limit, needed),
                     amount(limit, limit.free), each == 0 ? 0 : limit.free / each);
}

}  // namespace

Result<void> admit_clones(const StoreStatus& status, std::size_t count, std::uint64_t copy) {
  std::vector<std::string> short_of;
  for (const StoreLimit& limit : status.limits) {
    // The first limit is where the bytes of copies go.
    const std::uint64_t each = copy != 0 && &limit == &status.limits.front() ? std::max(copy, limit.each) : limit.each;
    if (each != 0 && (each > limit.free || count > limit.free / each)) {
      short_of.push_back(shortfall(limit, each * count, each));
    }
  }
  if (short_of.empty()) {
    return {};
  }
  auto refused = fail(ErrorCode::no_space,
                      fmt::format("{} clone{} do not fit into {}", count, count == 1 ? "" : "s", status.description),
                      "make fewer, remove what is not needed, or extend what is short: domsmith store status");
  refused.error().causes = std::move(short_of);
  return refused;
}

Result<std::vector<std::optional<std::uint64_t>>> VolumeStore::changed_bytes(std::span<const std::string> names) {
  std::vector<std::optional<std::uint64_t>> all;
  for (const std::string& volume : names) {
    all.emplace_back(TRY(find(volume)).used);
  }
  return all;
}

}  // namespace domsmith
