#include "imagebuild/packages/distributions.h"

#include <fmt/format.h>

#include "base/text.h"

namespace domsmith::packages {
namespace {

constexpr std::string_view ubuntu_keyring = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
constexpr std::string_view devuan_keyring = "/usr/share/keyrings/devuan-archive-keyring.gpg";

struct Mirrors {
  std::string_view archive, security;
};

Mirrors mirrors_of(std::string_view distribution, std::string_view architecture) {
  if (distribution == "devuan") {
    return {.archive = "http://deb.devuan.org/merged", .security = "http://deb.devuan.org/merged"};
  }
  if (architecture == "amd64" || architecture == "i386") {
    return {.archive = "http://archive.ubuntu.com/ubuntu", .security = "http://security.ubuntu.com/ubuntu"};
  }
  return {.archive = "http://ports.ubuntu.com/ubuntu-ports", .security = "http://ports.ubuntu.com/ubuntu-ports"};
}

}  // namespace

std::string keyring_of(std::string_view distribution) {
  return std::string(distribution == "ubuntu"   ? ubuntu_keyring
                     : distribution == "devuan" ? devuan_keyring
                                                : std::string_view());
}

std::vector<std::string> own_mirrors(const Recipe::Distribution& wanted, std::string_view architecture) {
  const std::string keyring = keyring_of(wanted.name);
  if (keyring.empty()) {
    return {};
  }
  const Mirrors mirrors = mirrors_of(wanted.name, architecture);
  const auto line = [&](std::string_view url, std::string_view behind) {
    return fmt::format("deb [signed-by={}] {} {}{} {}", keyring, url, wanted.release, behind,
                       join(wanted.components, " "));
  };
  return {line(mirrors.archive, ""), line(mirrors.archive, "-updates"), line(mirrors.security, "-security")};
}

}  // namespace domsmith::packages
