#include "provision/cli/default_root.h"

#include <unistd.h>

#include <cstdlib>

namespace domsmith {

namespace {
std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::filesystem::path{} : std::filesystem::path(value);
}
}  // namespace

RootFacts root_facts() { return {::geteuid() == 0, from_environment("XDG_STATE_HOME"), from_environment("HOME")}; }

Result<std::filesystem::path> default_root(const RootFacts& facts) {
  if (facts.is_root) {
    return "/";
  }
  // The specification wants relative paths to be ignored.
  if (facts.state_home.is_absolute()) {
    return facts.state_home / "domsmith";
  }
  if (facts.home.is_absolute()) {
    return facts.home / ".local/state/domsmith";
  }
  return fail(ErrorCode::bad_input, "it is not known where to keep the registry: HOME is not set",
              "name a folder with --root DIR");
}

}  // namespace domsmith
