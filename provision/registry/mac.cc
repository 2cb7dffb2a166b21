#include "provision/registry/mac.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace domsmith {
namespace {

constexpr std::uint64_t kMulticastBit = 1ULL << 40;
const std::vector<std::uint8_t> kXenOui{0x00, 0x16, 0x3e};

// The bytes of "0:16:3E" or "00-16-3e"; empty where it is something else. One separator throughout.
std::vector<std::uint8_t> hex_bytes(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(6);
  const char separator = text.find('-') != std::string_view::npos ? '-' : ':';
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    const auto digits = text.substr(0, end);
    std::uint8_t byte = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.empty() || digits.size() > 2 || error != std::errc() || stop != digits.data() + digits.size()) {
      return {};
    }
    bytes.push_back(byte);
    if (end == text.size()) {
      return bytes;
    }
    text.remove_prefix(end + 1);
  }
}

std::uint64_t number_of(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t number = 0;
  for (const auto byte : bytes) {
    number = number << 8 | byte;
  }
  return number;
}

// A number below `limit`, each as likely as any other: draws that would favour the low ones are thrown away.
std::uint64_t random_below(std::uint64_t limit, RandomSource& random) {
  const std::uint64_t fair = UINT64_MAX - UINT64_MAX % limit;
  for (;;) {
    std::array<std::byte, 8> bytes{};
    random.fill(bytes);
    std::uint64_t number = 0;
    for (const auto byte : bytes) {
      number = number << 8 | std::to_integer<std::uint64_t>(byte);
    }
    if (number < fair) {
      return number % limit;
    }
  }
}

}  // namespace

std::optional<std::uint64_t> mac_number(std::string_view text) {
  const auto bytes = hex_bytes(text);
  if (bytes.size() != 6) {
    return std::nullopt;
  }
  return number_of(bytes);
}

std::string mac_text(std::uint64_t number) {
  const auto byte = [number](unsigned index) { return number >> (40 - 8 * index) & 0xff; };
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", byte(0), byte(1), byte(2), byte(3), byte(4), byte(5));
}

std::optional<std::string> canonical_mac(std::string_view text) {
  return mac_number(text).transform([](std::uint64_t number) { return mac_text(number); });
}

bool is_multicast_mac(std::uint64_t number) { return (number & kMulticastBit) != 0; }

Result<MacPolicy> MacPolicy::parse(std::string_view text) {
  MacPolicy policy;
  policy.prefix = hex_bytes(text);
  if (policy.prefix.size() < 3 || policy.prefix.size() > 5) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no MAC prefix", text),
                "write 3 to 5 bytes in hexadecimal, for example 00:16:3e (Xen's) or 02:d0:5e:01");
  }
  if (is_multicast_mac(policy.first())) {
    return fail(ErrorCode::bad_input,
                fmt::format("the MAC prefix {} is one of multicast groups, which no interface may own", policy.text()),
                fmt::format("make its first byte even, for example {:02x}", policy.prefix.front() & 0xfe));
  }
  return policy;
}

std::string MacPolicy::text() const {
  std::string text;
  for (const auto byte : prefix) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", byte);
  }
  return text;
}

std::uint64_t MacPolicy::first() const {
  const std::uint64_t lowest = number_of(prefix) << 8 * (6 - prefix.size());
  return prefix == kXenOui ? lowest | 0x800000 : lowest;
}

std::uint64_t MacPolicy::last() const {
  const unsigned free_bits = 8 * (6 - static_cast<unsigned>(prefix.size()));
  return number_of(prefix) << free_bits | ((1ULL << free_bits) - 1);
}

Result<std::vector<std::uint64_t>> draw_macs(const MacPolicy& policy, std::size_t count,
                                             const std::unordered_set<std::uint64_t>& taken, RandomSource& random) {
  const std::uint64_t first = policy.first();
  const std::uint64_t space = policy.last() - first + 1;
  std::uint64_t used = 0;
  for (const auto mac : taken) {
    used += mac >= first && mac <= policy.last() ? 1 : 0;
  }
  if (count > space - used) {
    return fail(ErrorCode::no_space,
                fmt::format("the MAC prefix {} has {} of its {} addresses left, {} are needed", policy.text(),
                            space - used, space, count),
                "set a shorter MAC prefix, or remove guests that are not needed");
  }
  std::vector<std::uint64_t> drawn;
  std::unordered_set<std::uint64_t> ours;
  while (drawn.size() < count) {
    // From a random start to the next free one: it ends however full the space is.
    std::uint64_t offset = random_below(space, random);
    while (taken.contains(first + offset) || ours.contains(first + offset)) {
      offset = (offset + 1) % space;
    }
    ours.insert(first + offset);
    drawn.push_back(first + offset);
  }
  return drawn;
}

}  // namespace domsmith
