#include "imagebuild/packages/host.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/recipe/host.h"

namespace domsmith::packages {
namespace {

// subuid(5): NAME:FIRST:COUNT, the name may be a number.
bool has_range(std::string_view table, std::string_view user, std::string_view uid) {
  for (const std::string& line : split_lines(table)) {
    const std::string_view name = std::string_view(line).substr(0, line.find(':'));
    if (!name.empty() && (name == user || name == uid)) {
      return true;
    }
  }
  return false;
}

// 0 in either means that only root may make user namespaces: the first is Debian's own, the second namespaces(7).
Result<void> check_namespaces() {
  for (const char* setting : {"kernel/unprivileged_userns_clone", "user/max_user_namespaces"}) {
    const auto value = read_file(fmt::format("/proc/sys/{}", setting), 4096);
    if (value && trimmed(*value) == "0") {
      std::string name = setting;
      std::ranges::replace(name, '/', '.');
      return fail(ErrorCode::denied, fmt::format("user namespaces are switched off ({} is 0)", name),
                  fmt::format("sysctl {}={} (as root), or build as root", name, name.ends_with("clone") ? 1 : 65536));
    }
  }
  return {};
}

// What a user namespace of an ordinary user needs of the host (user_namespaces(7), newuidmap(1)).
Result<void> check_unshare() {
  TRY(find_program("newuidmap"));
  TRY(find_program("newgidmap"));
  TRY(check_namespaces());
  const std::string uid = std::to_string(::getuid());
  const passwd* entry = ::getpwuid(::getuid());
  const std::string user = entry != nullptr ? entry->pw_name : uid;
  for (const char* file : {"/etc/subuid", "/etc/subgid"}) {
    const auto table = read_file(file, 1U << 20);
    if (!table || !has_range(*table, user, uid)) {
      return fail(ErrorCode::unsupported, fmt::format("the user '{}' has no range of user ids in {}", user, file),
                  fmt::format("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {} (as root), or "
                              "build as root",
                              user));
    }
  }
  return {};
}

// The proxy of apt's own configuration, which the build's apt does not read.
std::string apt_proxy(const std::string& scheme) {
  const auto program = find_program("apt-config");
  if (!program) {
    return {};
  }
  const auto dumped = run({.argv = {*program, "dump", "--format", "%v%n", fmt::format("Acquire::{}::Proxy", scheme)},
                           .environment = {},
                           .working_directory = {}});
  const std::string proxy = dumped && dumped->status.success() ? trimmed(dumped->out) : std::string();
  return proxy.contains("://") && !proxy.contains('\n') ? proxy : std::string();
}

// As apt has it, its own configuration wins over the environment.
std::vector<std::string> proxy_environment() {
  constexpr std::array<const char*, 4> names{"http_proxy", "https_proxy", "ftp_proxy", "no_proxy"};
  std::vector<std::string> out;
  for (const std::string name : names) {
    std::string value = name == "no_proxy" ? std::string() : apt_proxy(name.substr(0, name.find('_')));
    if (const char* given = std::getenv(name.c_str()); value.empty() && given != nullptr) {
      value = given;
    }
    if (!value.empty()) {
      out.push_back(fmt::format("{}={}", name, value));
    }
  }
  return out;
}

}  // namespace

Result<HostFacts> host_facts() {
  HostFacts facts;
  facts.root = ::geteuid() == 0;
  facts.architecture = host_architecture();
  TRY_AS(find_program("apt-get"), "apt says which packages an image needs");
  if (!facts.root) {
    TRY_AS(check_unshare(), "an ordinary user builds images in a user namespace, which this host does not allow yet");
  }
  facts.sources = TRY(read_host_sources());
  facts.environment = proxy_environment();
  return facts;
}

}  // namespace domsmith::packages
