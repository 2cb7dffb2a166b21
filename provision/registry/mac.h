// Ethernet addresses of guests: IEEE 802 48-bit MACs, "00:16:3e:8a:01:02", lower case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"

namespace domsmith {

// Lower-case canonical form of "0:16:3E:1:2:3", "00-16-3e-…"; nullopt where it is no MAC.
std::optional<std::string> canonical_mac(std::string_view text);

// Which addresses may be given: all that begin with the prefix.
// With the default prefix, Xen's own OUI 00:16:3e, only the upper half (00:16:3e:80:00:00 up) is used: libxl draws
// those for configs without `mac=` from the lower half (libxl_nic.c masks the fourth byte with 0x7f), so that the two
// never meet.
struct MacPolicy {
  std::vector<std::uint8_t> prefix{0x00, 0x16, 0x3e};  // 3 to 5 bytes

  // "02:d0:5e" up to "02:d0:5e:00:01". bad_input: another length, or the multicast bit (lowest of the first byte) is
  // set, for no interface may own a group address.
  static Result<MacPolicy> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t first() const;  // as 48-bit numbers, both ends included
  [[nodiscard]] std::uint64_t last() const;
};

// A MAC as a 48-bit number, the first byte highest, and back.
std::optional<std::uint64_t> mac_number(std::string_view text);
std::string mac_text(std::uint64_t number);
// The lowest bit of the first byte: a group address, which no interface may own (IEEE 802, 8.2.2).
bool is_multicast_mac(std::uint64_t number);

// `count` different random addresses of the policy that are not in `taken`. no_space, with the numbers, where too few
// are left.
Result<std::vector<std::uint64_t>> draw_macs(const MacPolicy& policy, std::size_t count,
                                             const std::unordered_set<std::uint64_t>& taken, RandomSource& random);

}  // namespace domsmith
