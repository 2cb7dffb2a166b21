// Names to numbers by the image's own /etc/passwd and /etc/group. A static program cannot use NSS, and must not: the
// image's accounts are meant, not those of a directory service.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace domsmith::agent {

// The third field of the line whose first is `name` (passwd(5), group(5)); a name of digits only is the number itself.
std::expected<std::uint32_t, std::string> find_id(std::string_view table, std::string_view name);

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
// Reads ROOT/etc/passwd and ROOT/etc/group.
std::expected<Owner, std::string> find_owner(const std::string& root, const std::string& user,
                                             const std::string& group);

}  // namespace domsmith::agent
