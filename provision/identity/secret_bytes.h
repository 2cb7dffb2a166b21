// The 32-byte secrets of an Identity, out of their hexadecimal form.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace domsmith {

// `digits` are 64 lower-case hexadecimal digits, as make_identity() and identity_from_json() check.
std::array<std::byte, 32> secret_of_hex(std::string_view digits);

// `count` bytes that only the secret's owner can tell, another sequence for each label: SHA-256 over label, secret and
// a counter.
std::string expand_secret(std::string_view digits, std::string_view label, std::size_t count);

}  // namespace domsmith
