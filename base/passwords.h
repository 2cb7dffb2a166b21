// Passwords in URLs: proxies and mirrors may have one ("http://user:password@host/"), which nobody else is to read in a
// plan, an error or a log.
#pragma once

#include <string>
#include <string_view>

namespace domsmith {

// The text with "***" for the password of each URL in it (RFC 3986, 3.2.1: what stands between the first ':' and the
// last '@' of the authority), and of a NAME_proxy=user:password@host without a scheme.
std::string hide_passwords(std::string_view text);
// One '*' for each code point: what stands behind keeps its column.
std::string hide_passwords_in_place(std::string_view text);

}  // namespace domsmith
