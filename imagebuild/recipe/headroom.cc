#include "imagebuild/recipe/headroom.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace domsmith {

namespace {

constexpr std::uint64_t whole_mib = 1ULL << 20;
constexpr std::uint64_t smallest_size = 64 * whole_mib;
constexpr std::uint64_t most_headroom_percent = 1000;
constexpr std::uint64_t most_headroom = 1ULL << 44;

}  // namespace

std::uint64_t Headroom::size_for(std::uint64_t needed) const {
  const std::uint64_t size = needed + bytes + needed / 100 * percent;
  return std::max((size + whole_mib - 1) / whole_mib * whole_mib, smallest_size);
}

std::optional<Headroom> parse_headroom(std::string_view text) {
  if (!text.ends_with('%')) {
    const auto bytes = parse_size(text);
    return bytes && *bytes <= most_headroom ? std::optional(Headroom{.bytes = *bytes, .percent = 0}) : std::nullopt;
  }
  text.remove_suffix(1);
  std::uint64_t percent = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const bool number = code == std::errc() && end == text.data() + text.size();
  return number && percent <= most_headroom_percent ? std::optional(Headroom{.bytes = 0, .percent = percent})
                                                    : std::nullopt;
}

}  // namespace domsmith
