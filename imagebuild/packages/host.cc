#include "imagebuild/packages/host.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

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

// What mmdebstrap's unshare mode needs of the host (mmdebstrap(1), MODES).
Result<void> check_unshare() {
  TRY(find_program("newuidmap"));
  TRY(find_program("newgidmap"));
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

std::vector<std::string> proxy_environment() {
  constexpr std::array<const char*, 7> names{"http_proxy",  "https_proxy", "ftp_proxy", "no_proxy",
                                             "HTTPS_PROXY", "NO_PROXY",    "ALL_PROXY"};
  std::vector<std::string> out;
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
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
  facts.mmdebstrap = TRY_AS(find_program("mmdebstrap"), "images are built with mmdebstrap");
  if (!facts.root) {
    TRY_AS(check_unshare(), "an ordinary user builds images in a user namespace, which this host does not allow yet");
  }
  facts.sources = TRY(read_host_sources());
  facts.environment = proxy_environment();
  return facts;
}

}  // namespace domsmith::packages
