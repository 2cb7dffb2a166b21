// What makes a clone one machine and no other: decided when the clone is made, recorded in the registry, written into
// its file system later (identity/write.h), and written again, byte for byte the same, when the clone is reset.
//
// machine_id is machine-id(5): 32 lower-case hexadecimal digits, the bits of an RFC 4122 version 4 UUID set. The DHCP
// identity needs no field of its own: systemd-networkd derives its DUID from the machine-id, ifupdown's clients and
// NetworkManager send the MAC address.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"

namespace domsmith {

// The first interface's fixed address; further interfaces use DHCP.
struct StaticNetwork {
  std::string address = {};           // "192.0.2.10" or "2001:db8::10", as inet_ntop(3) writes it
  unsigned prefix = 24;               // bits: 1..32, or 1..128
  std::string gateway = {};           // same family as address; empty: none
  std::vector<std::string> dns = {};  // addresses of either family; may be empty
  bool operator==(const StaticNetwork&) const = default;
};

struct Identity {
  std::string hostname = {};           // check_name()'s
  std::string machine_id = {};         // 32 hexadecimal digits
  std::vector<std::string> macs = {};  // "00:16:3e:8a:01:02", lower case, one an interface, eth0 first
  std::string host_key_seed = {};      // SECRET: 64 hexadecimal digits, the seed of the ssh-ed25519 host key (RFC 8032)
  std::string entropy = {};            // SECRET: 64 hexadecimal digits that /var/lib/systemd/random-seed is made of
  std::optional<StaticNetwork> network = {};      // absent: DHCP
  std::vector<std::string> authorized_keys = {};  // lines for /root/.ssh/authorized_keys, beside those of the image
  bool operator==(const Identity&) const = default;
};

struct IdentityOptions {
  std::optional<StaticNetwork> network = {};
  std::vector<std::string> authorized_keys = {};  // each is checked: one line, an OpenSSH public key
};

// bad_input: a name that check_name() refuses, no or a malformed MAC, a bad address, a line that is no public key.
Result<Identity> make_identity(std::string_view name, std::span<const std::string> macs, const IdentityOptions& options,
                               RandomSource& random);

// "ssh-ed25519 AAAA… root@HOSTNAME", as in ssh_host_ed25519_key.pub, without a newline.
std::string host_public_key(const Identity& identity);

// A random UUID, RFC 4122 version 4: "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"; for xl's `uuid=`.
std::string random_uuid(RandomSource& random);

// The whole identity, secrets included: for the registry's own file only.
nlohmann::json identity_json(const Identity& identity);
// failed: a member is missing or of the wrong form.
Result<Identity> identity_from_json(const nlohmann::json& json);
// What anyone may see: the host's public key stands in for the secrets. For `list --json` and `guest show`.
nlohmann::json identity_public_json(const Identity& identity);

// Checks a static network by itself (address forms, family of the gateway, prefix). bad_input.
Result<void> check_static_network(const StaticNetwork& network);
// "2001:DB8:0::1" -> "2001:db8::1"; nullopt where it is no IP address.
std::optional<std::string> canonical_address(const std::string& address);
// One line "ssh-ed25519 AAAA… comment" (options in front are allowed). bad_input.
Result<void> check_authorized_key(std::string_view line);

}  // namespace domsmith
