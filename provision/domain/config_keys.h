// The keys that a domain config assigns, with their places: libxlutil answers for a key, but does not list them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith {

inline constexpr std::string_view marker_line = "# Written by domsmith.";

// Those that a DomainSpec has a place for.
inline constexpr std::array<std::string_view, 15> known_keys{
    "name",    "uuid", "type", "memory",   "maxmem",      "vcpus",     "kernel",  "ramdisk",
    "cmdline", "disk", "vif",  "tsc_mode", "on_poweroff", "on_reboot", "on_crash"};

struct ConfigKey {
  std::string name;
  unsigned line = 0;    // from 1
  unsigned column = 0;  // from 1, bytes
};

// In the order of the text, which libxlutil must have accepted: then a word outside of brackets and strings is a key
// (grammar: libxlu_cfg_l.l, libxlu_cfg_y.y).
std::vector<ConfigKey> config_keys(std::string_view text);

}  // namespace domsmith
