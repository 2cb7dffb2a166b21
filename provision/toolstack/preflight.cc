#include "provision/toolstack/preflight.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace domsmith {
namespace {

Result<void> check_file(const DomainSpec& spec, std::string_view role, const std::string& path, bool device_too) {
  const auto headline = fmt::format("cannot start '{}': its {} {}", spec.name, role, path);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(ErrorCode::not_found, headline + " is not there",
                  device_too ? "activate the volume, or look at it with `domsmith doctor`"
                             : "build or import the guest's image again: its boot files are gone");
    }
    return fail_errno(headline + " cannot be looked at", errno);
  }
  if (!S_ISREG(info.st_mode) && !(device_too && S_ISBLK(info.st_mode))) {
    return fail(ErrorCode::bad_input,
                fmt::format("{} is no {}", headline, device_too ? "block device or file" : "file"));
  }
  return {};
}

// vif-bridge fails late and in the background where the bridge is missing; other scripts make of it what they like.
Result<void> check_bridge_is_there(const DomainSpec& spec, const DomainVif& vif, const XlSettings& settings,
                                   const std::string& sys_class_net) {
  const auto& script = vif.script.empty() ? settings.vif_script : vif.script;
  if (!script.empty() && !script.ends_with("vif-bridge")) {
    return {};
  }
  std::string bridge = vif.bridge.empty() ? settings.vif_bridge : vif.bridge;
  if (bridge.empty()) {
    bridge = "xenbr0";
  }
  struct stat info{};
  if (::stat(fmt::format("{}/{}", sys_class_net, bridge).c_str(), &info) != 0) {
    return fail(ErrorCode::not_found, fmt::format("cannot start '{}': there is no bridge {}", spec.name, bridge),
                "make it, or name another one in the settings or the template (bridge = …)");
  }
  return {};
}

}  // namespace

Result<void> preflight(const DomainSpec& spec, const XlSettings& settings, const std::string& sys_class_net) {
  TRY(check_file(spec, "kernel", spec.kernel, false));
  if (!spec.ramdisk.empty()) {
    TRY(check_file(spec, "ramdisk", spec.ramdisk, false));
  }
  for (const auto& disk : spec.disks) {
    TRY(check_file(spec, "disk", disk.target, true));
  }
  for (const auto& vif : spec.vifs) {
    TRY(check_bridge_is_there(spec, vif, settings, sys_class_net));
  }
  return {};
}

}  // namespace domsmith
