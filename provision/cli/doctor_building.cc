// What `build` needs of the host.
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/packages/host.h"
#include "provision/cli/doctor.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using State = Check::State;

Check building(std::string name, State state, std::string text, std::string remedy = {}) {
  return {.area = "building",
          .name = std::move(name),
          .state = state,
          .text = std::move(text),
          .remedy = std::move(remedy)};
}

// user_namespaces(7); kernel.unprivileged_userns_clone is Debian's own switch.
Check check_namespaces(const fs::path& host) {
  const auto is_zero = [&](const char* file) { return trimmed(read_file(host / file, 64).value_or("")) == "0"; };
  if (is_zero("proc/sys/user/max_user_namespaces")) {
    return building("user namespaces", State::missing, "switched off",
                    "sysctl user.max_user_namespaces=10000 (as root)");
  }
  if (::geteuid() != 0 && is_zero("proc/sys/kernel/unprivileged_userns_clone")) {
    return building("user namespaces", State::missing, "closed to ordinary users",
                    "sysctl kernel.unprivileged_userns_clone=1 (as root), or build as root");
  }
  return building("user namespaces", State::ok, "can be made");
}

}  // namespace

std::string_view state_word(Check::State state) {
  switch (state) {
    case State::ok:
      return "ok";
    case State::lacks:
      return "lacks";
    case State::missing:
      return "missing";
  }
  return "missing";
}

std::vector<Check> check_building(const fs::path& host) {
  std::vector<Check> checks;
  const auto facts = packages::host_facts();
  if (facts) {
    checks.push_back(building("apt", State::ok, "apt-get and dpkg are there"));
    checks.push_back(building("apt sources", facts->sources.empty() ? State::lacks : State::ok,
                              fmt::format("{} in /etc/apt", facts->sources.size()),
                              facts->sources.empty() ? "name mirrors in the recipe: [distribution] mirrors" : ""));
  } else {
    const Error& error = facts.error();
    checks.push_back(building(
        "apt", State::missing,
        error.causes.empty() ? error.what : fmt::format("{}: {}", error.what, join(error.causes, ": ")), error.remedy));
  }
  checks.push_back(check_namespaces(host));
  const auto e2fsck = find_program("e2fsck");
  checks.push_back(
      e2fsck ? building("e2fsck", State::ok, *e2fsck)
             : building("e2fsck", State::lacks, "not installed; `image verify` needs it", e2fsck.error().remedy));
  return checks;
}

}  // namespace domsmith
