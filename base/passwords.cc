#include "base/passwords.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace domsmith {

namespace {

constexpr std::array<std::string_view, 3> before_authority{"://", "_proxy=", "_PROXY="};

// Where the next authority begins; npos: there is none.
std::size_t next_authority(std::string_view text, std::size_t from) {
  std::size_t nearest = std::string_view::npos;
  for (const std::string_view mark : before_authority) {
    const std::size_t at = text.find(mark, from);
    if (at != std::string_view::npos) {
      nearest = std::min(nearest, at + mark.size());
    }
  }
  return nearest;
}

template <class Mask>
std::string masked(std::string_view text, const Mask& mask) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = next_authority(text, 0); at != std::string_view::npos; at = next_authority(text, at)) {
    const std::string_view authority = text.substr(at, text.find_first_of("/?# \t\r\n", at) - at);
    const std::size_t host = authority.rfind('@');
    const std::size_t colon = authority.substr(0, host).find(':');
    if (host != std::string_view::npos && colon != std::string_view::npos) {
      const std::size_t password = at + colon + 1;
      out += text.substr(done, password - done);
      out += mask(text.substr(password, at + host - password));
      done = at + host;
    }
  }
  return out += text.substr(done);
}

}  // namespace

std::string hide_passwords(std::string_view text) {
  return masked(text, [](std::string_view) { return std::string("***"); });
}

std::string hide_passwords_in_place(std::string_view text) {
  return masked(text, [](std::string_view password) { return std::string(count_code_points(password), '*'); });
}

}  // namespace domsmith
