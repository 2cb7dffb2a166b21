// OpenSSH's file formats of an ed25519 key: PROTOCOL.key of OpenSSH (openssh-key-v1) and RFC 4253, 6.6 with RFC 8709.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace domsmith {

// The text of ssh_host_ed25519_key: not encrypted, the same each time for the same seed and comment.
std::string openssh_private_key(std::span<const std::byte, 32> seed, std::string_view comment);
// "ssh-ed25519 AAAA… COMMENT", without a newline.
std::string openssh_public_key(std::span<const std::byte, 32> seed, std::string_view comment);

}  // namespace domsmith
