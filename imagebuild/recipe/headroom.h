// How much room an image of size "auto" has beside what is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace domsmith {

struct Headroom {
  std::uint64_t bytes = 0;
  std::uint64_t percent = 0;  // of what is in the image

  // A file system for `needed` bytes, in whole MiB, as small as a recipe may have it.
  [[nodiscard]] std::uint64_t size_for(std::uint64_t needed) const;
  bool operator==(const Headroom&) const = default;
};

// "256MiB" or "20%", up to 1000%; nullopt where it is neither.
std::optional<Headroom> parse_headroom(std::string_view text);

}  // namespace domsmith
