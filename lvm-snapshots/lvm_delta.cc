#include "lvm-snapshots/lvm_delta.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace domsmith {

namespace {

constexpr std::uint64_t sector = 512;

// The number that NAME="…" holds in one tag.
std::optional<std::uint64_t> attribute(std::string_view tag, std::string_view name) {
  const std::string begin = " " + std::string(name) + "=\"";
  const auto at = tag.find(begin);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = tag.substr(at + begin.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return error == std::errc() && end != rest.data() + rest.size() && *end == '"' ? std::optional(value) : std::nullopt;
}

bool differs(std::string_view tag) {
  static constexpr std::array<std::string_view, 3> kinds = {"different ", "left_only ", "right_only "};
  for (const std::string_view kind : kinds) {
    if (tag.starts_with(kind)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<std::uint64_t> parse_thin_delta(std::string_view xml) {
  std::optional<std::uint64_t> block;
  std::uint64_t blocks = 0;
  bool complete = false;
  for (auto at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const std::string_view tag = xml.substr(at + 1, xml.find('>', at) - at - 1);
    if (tag.starts_with("superblock ")) {
      block = attribute(tag, "data_block_size");
    } else if (differs(tag)) {
      const auto length = attribute(tag, "length");
      if (!length) {
        return fail(ErrorCode::failed, "cannot read what thin_delta says: a range has no length");
      }
      blocks += *length;
    }
    complete = complete || tag.starts_with("/superblock");
  }
  if (!block || !complete) {
    return fail(ErrorCode::failed, "cannot read what thin_delta says", "try it by hand: thin_delta(8)");
  }
  return blocks * *block * sector;
}

}  // namespace domsmith
