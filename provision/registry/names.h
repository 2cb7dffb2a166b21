// Names and addresses of a batch of guests. Nothing is skipped silently: what is taken is an error of reserve_guests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/identity/identity.h"

namespace domsmith {

// count == 1: NAME; else NAME-FIRST … NAME-(FIRST+count-1). bad_input: a name that check_name() refuses, the longest
// included.
Result<std::vector<std::string>> guest_names(std::string_view name, std::uint32_t count, std::uint32_t first = 1);

// One network a guest: `first` with its address counted up. bad_input: an address would be outside the prefix, be the
// network's own or its broadcast address (IPv4, prefix < 31), or be the gateway.
Result<std::vector<StaticNetwork>> consecutive_networks(const StaticNetwork& first, std::uint32_t count);

}  // namespace domsmith
