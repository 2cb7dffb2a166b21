#include "provision/identity/secret_bytes.h"

#include <fmt/format.h>

#include "base/crypto.h"

namespace domsmith {

std::array<std::byte, 32> secret_of_hex(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::array<std::byte, 32> bytes{};
  for (std::size_t at = 0; at < bytes.size() && 2 * at + 1 < digits.size(); ++at) {
    bytes[at] = static_cast<std::byte>(value(digits[2 * at]) * 16 + value(digits[2 * at + 1]));
  }
  return bytes;
}

std::string expand_secret(std::string_view digits, std::string_view label, std::size_t count) {
  std::string bytes;
  for (unsigned counter = 0; bytes.size() < count; ++counter) {
    for (const auto byte : secret_of_hex(sha256_hex(fmt::format("{}:{}:{}", label, counter, digits)))) {
      bytes += std::to_integer<char>(byte);
    }
  }
  bytes.resize(count);
  return bytes;
}

}  // namespace domsmith
