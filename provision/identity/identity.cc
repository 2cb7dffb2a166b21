#include "provision/identity/identity.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "provision/identity/openssh_key.h"
#include "provision/identity/secret_bytes.h"

namespace domsmith {
namespace {

bool lower_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool canonical_mac_form(std::string_view text) {
  if (text.size() != 17) {
    return false;
  }
  for (std::size_t at = 0; at < 17; ++at) {
    if (at % 3 == 2 ? text[at] != ':' : !lower_hex(text.substr(at, 1), 1)) {
      return false;
    }
  }
  return true;
}

int family_of(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (address.find('\0') != std::string::npos) {  // inet_pton(3) would not see what is behind it
    return AF_UNSPEC;
  }
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, address.c_str(), bytes.data()) == 1) {
      return family;
    }
  }
  return AF_UNSPEC;
}

template <std::size_t size>
std::array<std::byte, size> random_bytes(RandomSource& random) {
  std::array<std::byte, size> bytes{};
  random.fill(bytes);
  return bytes;
}

// The 32 digits of a random UUID, RFC 4122, 4.4: version 4, variant 10.
std::string random_uuid_digits(RandomSource& random) {
  auto bytes = random_bytes<16>(random);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return hex(bytes);
}

// Fields of an authorized_keys line: blanks separate, but not inside double quotes (sshd(8)).
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  std::size_t start = std::string_view::npos;
  bool quoted = false;
  for (std::size_t at = 0; at <= line.size(); ++at) {
    const bool blank = at == line.size() || (!quoted && (line[at] == ' ' || line[at] == '\t'));
    if (blank && start != std::string_view::npos) {
      fields.push_back(line.substr(start, at - start));
      start = std::string_view::npos;
    } else if (!blank && start == std::string_view::npos) {
      start = at;
    }
    if (at < line.size() && line[at] == '"' && (at == 0 || line[at - 1] != '\\')) {
      quoted = !quoted;
    }
  }
  return fields;
}

bool key_type(std::string_view field) {
  constexpr std::array<std::string_view, 4> kFamilies{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"};
  return std::ranges::any_of(kFamilies, [&](std::string_view family) { return field.starts_with(family); }) &&
         field.find_first_of("\"=,") == std::string_view::npos;
}

bool key_blob(std::string_view field) {
  const auto digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  auto digits = field;
  while (digits.ends_with('=')) {
    digits.remove_suffix(1);
  }
  // A blob begins with the length of the type's name, below 64 KiB: two bytes of zero and a little.
  return field.starts_with("AAAA") && field.size() % 4 == 0 && field.size() - digits.size() <= 2 &&
         field.size() >= 64 && std::ranges::all_of(digits, digit);
}

std::string text_member(const nlohmann::json& json, const char* name) { return json.at(name).get<std::string>(); }

nlohmann::json network_json(const StaticNetwork& network) {
  return {{"address", network.address}, {"prefix", network.prefix}, {"gateway", network.gateway}, {"dns", network.dns}};
}

Result<void> check_identity(const Identity& identity) {
  TRY(check_name("guest", identity.hostname));
  if (!lower_hex(identity.machine_id, 32) || !lower_hex(identity.host_key_seed, 64) ||
      !lower_hex(identity.entropy, 64)) {
    return fail(ErrorCode::failed, "the machine-id or a seed of the identity has the wrong form");
  }
  for (const auto& mac : identity.macs) {
    if (!canonical_mac_form(mac)) {
      return fail(ErrorCode::bad_input, fmt::format("'{}' is no MAC address in lower case", mac),
                  "write it like 00:16:3e:00:00:01");
    }
  }
  if (identity.network) {
    TRY(check_static_network(*identity.network));
  }
  for (const auto& key : identity.authorized_keys) {
    TRY(check_authorized_key(key));
  }
  return {};
}

}  // namespace

Result<Identity> make_identity(std::string_view name, std::span<const std::string> macs, const IdentityOptions& options,
                               RandomSource& random) {
  Identity identity;
  identity.hostname = name;
  identity.machine_id = random_uuid_digits(random);
  identity.macs.assign(macs.begin(), macs.end());
  identity.host_key_seed = hex(random_bytes<32>(random));
  identity.entropy = hex(random_bytes<32>(random));
  identity.network = options.network;
  identity.authorized_keys = options.authorized_keys;
  if (identity.network && macs.empty()) {
    return fail(ErrorCode::bad_input, fmt::format("guest '{}' has a fixed address but no network interface", name),
                "give it an interface, or leave the address out");
  }
  TRY(check_identity(identity));
  return identity;
}

std::string host_public_key(const Identity& identity) {
  return openssh_public_key(secret_of_hex(identity.host_key_seed), "root@" + identity.hostname);
}

std::string random_uuid(RandomSource& random) {
  auto text = random_uuid_digits(random);
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) {
    text.insert(dash, "-");
  }
  return text;
}

nlohmann::json identity_json(const Identity& identity) {
  nlohmann::json json{{"hostname", identity.hostname}, {"machine_id", identity.machine_id},
                      {"macs", identity.macs},         {"host_key_seed", identity.host_key_seed},
                      {"entropy", identity.entropy},   {"authorized_keys", identity.authorized_keys}};
  if (identity.network) {
    json["network"] = network_json(*identity.network);
  }
  return json;
}

Result<Identity> identity_from_json(const nlohmann::json& json) {
  Identity identity;
  try {
    identity.hostname = text_member(json, "hostname");
    identity.machine_id = text_member(json, "machine_id");
    identity.macs = json.at("macs").get<std::vector<std::string>>();
    identity.host_key_seed = text_member(json, "host_key_seed");
    identity.entropy = text_member(json, "entropy");
    identity.authorized_keys = json.at("authorized_keys").get<std::vector<std::string>>();
    if (const auto network = json.find("network"); network != json.end()) {
      identity.network = StaticNetwork{.address = text_member(*network, "address"),
                                       .prefix = network->at("prefix").get<unsigned>(),
                                       .gateway = text_member(*network, "gateway"),
                                       .dns = network->at("dns").get<std::vector<std::string>>()};
    }
  } catch (const nlohmann::json::exception& exception) {
    return wrap(fail(ErrorCode::failed, exception.what()).error(), "cannot read an identity");
  }
  TRY(check_identity(identity));
  return identity;
}

nlohmann::json identity_public_json(const Identity& identity) {
  nlohmann::json json{{"hostname", identity.hostname},
                      {"machine_id", identity.machine_id},
                      {"macs", identity.macs},
                      {"host_key", host_public_key(identity)},
                      {"authorized_keys", identity.authorized_keys}};
  json["network"] = identity.network ? network_json(*identity.network) : nlohmann::json("dhcp");
  return json;
}

std::optional<std::string> canonical_address(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = family_of(address);
  if (family == AF_UNSPEC || inet_pton(family, address.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  return inet_ntop(family, bytes.data(), text.data(), text.size());
}

Result<void> check_static_network(const StaticNetwork& network) {
  const int family = family_of(network.address);
  if (family == AF_UNSPEC) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no IP address", network.address),
                "write it like 192.0.2.10");
  }
  const unsigned most = family == AF_INET ? 32 : 128;
  if (network.prefix == 0 || network.prefix > most) {
    return fail(ErrorCode::bad_input, fmt::format("{}/{} has no valid prefix length", network.address, network.prefix),
                fmt::format("it is between 1 and {}", most));
  }
  if (!network.gateway.empty() && family_of(network.gateway) != family) {
    return fail(ErrorCode::bad_input,
                fmt::format("the gateway '{}' is no address like {}", network.gateway, network.address),
                "both must be IPv4 or both IPv6");
  }
  for (const auto& server : network.dns) {
    if (family_of(server) == AF_UNSPEC) {
      return fail(ErrorCode::bad_input, fmt::format("the name server '{}' is no IP address", server),
                  "write it like 192.0.2.1");
    }
  }
  return {};
}

Result<void> check_authorized_key(std::string_view line) {
  constexpr std::size_t kLongest = 16384;
  if (line.find("PRIVATE KEY") != std::string_view::npos) {
    return fail(ErrorCode::bad_input, "this is a private key", "give the public one: the file that ends in .pub");
  }
  const bool one_line =
      std::ranges::all_of(line, [](char c) { return c == '\t' || static_cast<unsigned char>(c) >= 0x20; });
  if (one_line && line.size() <= kLongest) {
    const auto fields = fields_of(line);
    for (std::size_t at = 0; at < std::min<std::size_t>(fields.size(), 2); ++at) {  // a field of options may come first
      if (key_type(fields[at])) {
        if (at + 1 < fields.size() && key_blob(fields[at + 1])) {
          return {};
        }
        break;
      }
    }
  }
  return fail(ErrorCode::bad_input,
              fmt::format("'{}' is no SSH public key", line.substr(0, std::min(line.find('\n'), std::size_t{60}))),
              "give one line as in a .pub file: ssh-ed25519 AAAA… comment");
}

}  // namespace domsmith
