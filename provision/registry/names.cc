#include "provision/registry/names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace domsmith {
namespace {

using AddressBytes = std::vector<std::uint8_t>;  // 4 or 16, network order

AddressBytes bytes_of(const std::string& address) {
  std::array<std::uint8_t, 16> buffer{};
  if (inet_pton(AF_INET, address.c_str(), buffer.data()) == 1) {
    return {buffer.begin(), buffer.begin() + 4};
  }
  if (inet_pton(AF_INET6, address.c_str(), buffer.data()) == 1) {
    return {buffer.begin(), buffer.end()};
  }
  return {};
}

std::string text_of(const AddressBytes& bytes) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

// False where it wraps around.
bool add(AddressBytes& bytes, std::uint32_t amount) {
  std::uint64_t carry = amount;
  for (auto at = bytes.rbegin(); at != bytes.rend() && carry != 0; ++at) {
    carry += *at;
    *at = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
  }
  return carry == 0;
}

bool host_bits_all(const AddressBytes& bytes, unsigned prefix, bool ones) {
  for (unsigned bit = prefix; bit < bytes.size() * 8; ++bit) {
    if (((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) != ones) {
      return false;
    }
  }
  return true;
}

bool same_network(const AddressBytes& left, const AddressBytes& right, unsigned prefix) {
  for (unsigned bit = 0; bit < prefix; ++bit) {
    if ((left[bit / 8] >> (7 - bit % 8) & 1) != (right[bit / 8] >> (7 - bit % 8) & 1)) {
      return false;
    }
  }
  return true;
}

// Why a machine cannot have the address; empty where it can.
std::string_view objection(const AddressBytes& address, const AddressBytes& first, const StaticNetwork& network) {
  if (!same_network(address, first, network.prefix)) {
    return "lies outside the network";
  }
  const bool has_reserved =
      network.prefix < address.size() * 8 - 1;  // RFC 3021, RFC 6164: the last two prefixes have none
  if (has_reserved && host_bits_all(address, network.prefix, false)) {
    return "is the network's own address";
  }
  if (has_reserved && address.size() == 4 && host_bits_all(address, network.prefix, true)) {
    return "is the network's broadcast address";
  }
  if (!network.gateway.empty() && bytes_of(network.gateway) == address) {
    return "is the gateway's";
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> guest_names(std::string_view name, std::uint32_t count, std::uint32_t first) {
  if (count == 0) {
    return fail(ErrorCode::bad_input, "no guest was asked for", "give a count of 1 or more");
  }
  if (count == 1 && first == 1) {
    TRY(check_name("guest", name));
    return std::vector<std::string>{std::string(name)};
  }
  const std::uint64_t last = std::uint64_t{first} + count - 1;
  TRY(check_name("guest", fmt::format("{}-{}", name, last)));
  std::vector<std::string> names;
  names.reserve(count);
  for (std::uint64_t number = first; number <= last; ++number) {
    names.push_back(fmt::format("{}-{}", name, number));
  }
  return names;
}

Result<std::vector<StaticNetwork>> consecutive_networks(const StaticNetwork& first, std::uint32_t count) {
  TRY(check_static_network(first));
  const auto start = bytes_of(first.address);
  std::vector<StaticNetwork> networks;
  for (std::uint32_t index = 0; index < count; ++index) {
    auto address = start;
    const bool wrapped = !add(address, index);
    const auto reason = wrapped ? "lies outside the network" : objection(address, start, first);
    if (!reason.empty()) {
      return fail(ErrorCode::bad_input,
                  fmt::format("{} addresses from {}/{} are not to be had: number {}, {}, {}", count, first.address,
                              first.prefix, index + 1, text_of(address), reason),
                  "start at another address, or make fewer guests in one command");
    }
    auto network = first;
    network.address = text_of(address);
    networks.push_back(std::move(network));
  }
  return networks;
}

}  // namespace domsmith
