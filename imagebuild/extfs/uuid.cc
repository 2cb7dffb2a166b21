#include "imagebuild/extfs/uuid.h"

#include <fmt/format.h>

#include "base/crypto.h"

namespace domsmith::extfs {
namespace {

constexpr bool dash_at(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<unsigned>(lower - 'a') + 10;
  }
  return std::nullopt;
}

}  // namespace

std::string uuid_text(const Uuid& uuid) {
  std::string text;
  for (std::byte each : uuid) {
    if (dash_at(text.size())) {
      text += '-';
    }
    text += fmt::format("{:02x}", std::to_integer<unsigned>(each));
  }
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) {
    return std::nullopt;
  }
  Uuid uuid{};
  std::size_t nibble = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (dash_at(at)) {
      if (text[at] != '-') {
        return std::nullopt;
      }
      continue;
    }
    const auto value = digit(text[at]);
    if (!value) {
      return std::nullopt;
    }
    uuid.at(nibble / 2) |= static_cast<std::byte>(nibble % 2 == 0 ? *value << 4 : *value);
    ++nibble;
  }
  return uuid;
}

Uuid random_uuid() {
  Uuid uuid{};
  system_random().fill(uuid);
  uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x40};
  uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80};
  return uuid;
}

}  // namespace domsmith::extfs
