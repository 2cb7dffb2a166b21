// What the host gives as defaults.
#pragma once

#include <string>

#include "base/result.h"

namespace domsmith {

// The host's architecture in dpkg's word (dpkg-architecture(1)): "amd64", "arm64"; from uname(2).
std::string host_architecture();

// ID and VERSION_CODENAME of os-release(5). Empty where the file does not say.
struct HostRelease {
  std::string id;        // "debian"
  std::string codename;  // "bookworm"
  std::string version;   // VERSION_ID: "12"; not all have a codename
};
HostRelease host_release();
HostRelease parse_os_release(const std::string& text);

}  // namespace domsmith
