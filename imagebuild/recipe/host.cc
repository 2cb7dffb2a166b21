#include "imagebuild/recipe/host.h"

#include <sys/utsname.h>

#include <array>
#include <string_view>

#include "base/file.h"
#include "base/text.h"

namespace domsmith {

namespace {

// os-release(5): a shell-like assignment; the value perhaps in single or double quotes.
std::string unquoted(std::string_view value) {
  const bool quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return std::string(quoted ? value.substr(1, value.size() - 2) : value);
}

}  // namespace

std::string host_architecture() {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> words{{{"x86_64", "amd64"},
                                                                                       {"aarch64", "arm64"},
                                                                                       {"armv7l", "armhf"},
                                                                                       {"armv8l", "armhf"},
                                                                                       {"i386", "i386"},
                                                                                       {"i586", "i386"},
                                                                                       {"i686", "i386"},
                                                                                       {"riscv64", "riscv64"}}};
  utsname name{};
  uname(&name);
  const std::string_view machine(static_cast<const char*>(name.machine));
  for (const auto& [kernel, debian] : words) {
    if (machine == kernel) {
      return std::string(debian);
    }
  }
  return std::string(machine);
}

HostRelease parse_os_release(const std::string& text) {
  HostRelease release;
  for (const std::string& raw : split_lines(text)) {
    const std::string line = trimmed(raw);
    if (line.starts_with("ID=")) {
      release.id = unquoted(std::string_view(line).substr(3));
    } else if (line.starts_with("VERSION_CODENAME=")) {
      release.codename = unquoted(std::string_view(line).substr(17));
    } else if (line.starts_with("VERSION_ID=")) {
      release.version = unquoted(std::string_view(line).substr(11));
    }
  }
  return release;
}

HostRelease host_release() {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (const auto text = read_file(path, 64U << 10)) {
      return parse_os_release(*text);
    }
  }
  return {};
}

}  // namespace domsmith
