// As much of HTTP as an installation needs: an answer file is fetched, a report is posted. Plain http:// only, since
// the medium knows no certificate authorities; what is fetched is data that is checked, and a network of one's own is
// where machines are installed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

struct HttpPlace {
  std::string host;
  std::string port;  // "80" unless the URL has another
  std::string path;  // begins with '/'
};
// bad_input: another scheme, or no host.
Result<HttpPlace> http_place(std::string_view url);

// The body of a 200; at most `limit` bytes. failed: nobody answers within half a minute, or with another status.
Result<std::string> http_get(const std::string& url, std::uint64_t limit);
// Fine with any 2xx.
Result<void> http_post(const std::string& url, const std::string& json);

}  // namespace domsmith
