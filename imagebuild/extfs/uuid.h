// The 16 bytes that name a file system (RFC 9562) and their text form.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace domsmith::extfs {

using Uuid = std::array<std::byte, 16>;

std::string uuid_text(const Uuid& uuid);                // 01234567-89ab-cdef-0123-456789abcdef, lower case
std::optional<Uuid> parse_uuid(std::string_view text);  // that form, either case; nullopt otherwise
Uuid random_uuid();                                     // version 4

}  // namespace domsmith::extfs
